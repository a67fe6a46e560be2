"""`docs/reliability.md` names what shows each known way to lose money: the table is whole, and what it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.scenarios.scenario import read_scenario, scenario_files

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (H\d+) \| (.*?) \| (.*?) \|$", re.MULTILINE)
ROWS = {row[0]: row[2] for row in ROW.findall((ROOT / "docs" / "reliability.md").read_text(encoding="utf-8"))}
KNOWN = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 20, 21, 22, 25, 27, 40, 43, 47, 48, 49, 50, 54, 57, 61, 64, 70]


def test_every_known_way_to_lose_money_has_its_row() -> None:
    assert list(ROWS) == [f"H{number}" for number in KNOWN]


@pytest.mark.parametrize("row", ROWS)
def test_what_a_row_names_exists(row: str) -> None:
    named = re.findall(r"`([^`]+)`", ROWS[row])
    assert named
    for path in named:
        file, _, function = path.partition("::")
        assert (ROOT / "tests" / file).exists(), path
        assert f"def {function}(" in (ROOT / "tests" / file).read_text(encoding="utf-8") if function else True


@pytest.mark.parametrize("path", scenario_files(), ids=lambda path: path.stem)
def test_every_scenario_is_named_in_its_row(path: Path) -> None:
    assert f"`cases/scenarios/{path.name}`" in ROWS[read_scenario(path).id]
