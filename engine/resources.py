"""Finds the files that ship with botctl: schemas, templates, the sample fleet, the supervisor template.

In a wheel they lie in `engine/_data`; in a checkout or an editable install, beside the package.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource(*parts: str) -> Path:
    """The path of a shipped file or folder, e.g. `resource("schemas", "bot.schema.json")`.

    Raises FileNotFoundError naming both places that were looked at.
    """
    packaged, checkout = _PACKAGE.joinpath("_data", *parts), _PACKAGE.parent.joinpath(*parts)
    for path in (packaged, checkout):
        if path.exists():
            return path
    raise FileNotFoundError(f"{'/'.join(parts)} is neither at {packaged} nor at {checkout}")
