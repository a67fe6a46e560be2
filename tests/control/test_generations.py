"""Generations on disk: numbered, whole, switched in one step."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.control.generations import switch_to, write_generation
from engine.errors import StateDamaged
from engine.host.generation import read_current, read_generation
from engine.host.workspace import Workspace
from tests.plan.fleets import desired, spec


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    place = Workspace(root=tmp_path)
    place.prepare()
    return place


def test_what_was_written_is_read_back(workspace: Workspace) -> None:
    wanted = desired(spec("eth"), spec("sol", spread_bps="12"), sim_seed=1)
    number = write_generation(workspace, wanted, conf="[supervisord]\n")
    generation = read_generation(workspace, number)
    assert generation.bots == {name: bot.spec for name, bot in wanted.bots.items()}
    assert generation.fingerprints == {name: bot.fingerprint for name, bot in wanted.bots.items()}
    assert generation.fleet == wanted.fleet


def test_writing_does_not_switch(workspace: Workspace) -> None:
    write_generation(workspace, desired(spec("sol")), conf="")
    assert read_current(workspace) is None


def test_switching_changes_what_engines_read_and_keeps_the_old(workspace: Workspace) -> None:
    for spread in ("10", "12"):
        switch_to(workspace, write_generation(workspace, desired(spec("sol", spread_bps=spread)), conf=""))
    current = read_current(workspace)
    assert current is not None and current.number == 2
    assert read_generation(workspace, 1).bots["sol"].strategy.parameters["spread_bps"] == "10"


def test_a_draft_left_by_a_crash_is_no_generation(workspace: Workspace) -> None:
    (workspace.generations / ".draft-1" / "bots").mkdir(parents=True)
    assert write_generation(workspace, desired(spec("sol")), conf="") == 1


def test_a_generation_with_a_missing_bot_is_damaged(workspace: Workspace) -> None:
    number = write_generation(workspace, desired(spec("sol")), conf="")
    (workspace.generations / str(number) / "bots" / "sol.json").unlink()
    with pytest.raises(StateDamaged):
        read_generation(workspace, number)


def test_a_generation_moves_with_its_workspace(workspace: Workspace, tmp_path: Path) -> None:
    switch_to(workspace, write_generation(workspace, desired(spec("sol")), conf=""))
    workspace.state.rename(tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / "current" / "fleet.json").is_file()
