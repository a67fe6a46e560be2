"""Every known way to lose money, as a scenario in `tests/cases/scenarios`: it must not happen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.scenario import read_scenario, scenario_files
from tests.scenarios.stage import play


@pytest.mark.parametrize("path", scenario_files(), ids=lambda path: path.stem)
def test_it_does_not_happen(path: Path, tmp_path: Path) -> None:
    scenario = read_scenario(path)
    assert path.stem.split("-")[0] == scenario.id
    if complaints := play(scenario, tmp_path):
        pytest.fail(f"{scenario.id}, {scenario.title}:\n  " + "\n  ".join(complaints), pytrace=False)
