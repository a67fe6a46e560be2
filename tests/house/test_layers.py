"""The parts of the house that import-linter cannot see, read from syntax trees."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = configparser.ConfigParser()
CONTRACTS.read(ROOT / ".importlinter", encoding="utf-8")


def contract(name: str, field: str) -> list[str]:
    return CONTRACTS[f"importlinter:contract:{name}"][field].split("\n")[1:]


DECIDING = [module.removeprefix("engine.") for module in contract("deciding", "source_modules")]
FORBIDDEN = frozenset(contract("deciding", "forbidden_modules"))
CLOCK_READS = frozenset({"now", "utcnow", "today"})


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def sources(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        place = ROOT / "engine" / room
        yield from sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]


def imported(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or "."


def calls(path: Path) -> Iterator[tuple[int, str]]:
    """Line and last name of everything that is called: `datetime.now(UTC)` gives `now`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield node.lineno, node.func.id if isinstance(node.func, ast.Name) else node.func.attr


def at(path: Path, line: int, what: str) -> str:
    return f"{path.relative_to(ROOT)}:{line}: {what}"


def test_only_risk_makes_approved_orders() -> None:
    rooms = {
        path.relative_to(ROOT / "engine").parts[0]
        for path in sources(".")
        for _, name in calls(path)
        if name == "ApprovedOrder"
    }
    assert rooms - {"testing"} == {"risk"}, "the published contract hands orders to codecs, never to a venue"


@pytest.mark.parametrize("room", DECIDING)
def test_deciding_packages_import_nothing_that_acts(room: str) -> None:
    found = [
        at(path, line, module)
        for path in sources(room)
        for line, module in imported(path)
        if module.split(".")[0] in FORBIDDEN
    ]
    assert found == []


@pytest.mark.parametrize("room", DECIDING)
def test_deciding_packages_read_no_clock(room: str) -> None:
    found = [at(path, line, name) for path in sources(room) for line, name in calls(path) if name in CLOCK_READS]
    assert found == []


def test_everything_below_transport_is_a_deciding_package() -> None:
    layers = contract("layers", "layers")
    below = [name for layer in layers[layers.index("transport") + 1 :] for name in layer.split(" | ")]
    assert {*below} - {*DECIDING} == {"resources"}, "resources only looks for files; all others decide"


def test_the_engine_never_imports_the_command_line() -> None:
    found = [at(path, line, name) for path in sources(".") for line, name in imported(path) if name == "cli"]
    assert found == []


def test_the_architecture_draws_the_layers_that_are_checked() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawn = re.search(r"^```layers\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert drawn, "docs/architecture.md has no ```layers block"
    assert drawn.group(1).splitlines() == contract("layers", "layers")


def test_the_architecture_names_every_room() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {path.parent.name for path in (ROOT / "engine").glob("*/__init__.py")}
    assert {room for room in rooms if f"`{room}/" not in page} - {"exchanges"} == set()
    assert "`exchanges/<venue>/`" in page
