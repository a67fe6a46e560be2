"""Schemas of strategies that other packages bring, so that a bot file may name them like any other.

A package says `kind = "package.module"` under the entry point group `botctl.strategies`, and puts
`kind.schema.json` beside that module. Nothing of the package is run to read it.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from engine.errors import ConfigInvalid

GROUP = "botctl.strategies"


@cache
def outside_schemas() -> dict[str, Path]:
    """The schema file of every installed kind; ConfigInvalid when a package brings none."""
    return {entry.name: _schema_of(entry) for entry in sorted(entry_points(group=GROUP))}


def _schema_of(entry: EntryPoint) -> Path:
    try:
        module = find_spec(entry.module)
    except ModuleNotFoundError:
        module = None
    place = Path(module.origin).parent if module and module.origin else None
    if place is None or not (place / f"{entry.name}.schema.json").is_file():
        package = entry.dist.name if entry.dist else entry.module
        raise ConfigInvalid(
            f"package {package} brings strategy {entry.name}, but no {entry.name}.schema.json",
            hint=f"ask its author, or uninstall it: pip uninstall {package}",
        )
    return place / f"{entry.name}.schema.json"
