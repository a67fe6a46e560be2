"""Two folders with one fleet id on one host."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.control.checkout import claim
from engine.control.fleet import Fleet
from engine.errors import Conflict
from engine.host.workspace import Workspace
from tests.control.test_converge import applied, bot


def test_a_second_checkout_is_refused_while_the_first_runs(fleet: Fleet, tmp_path: Path) -> None:
    applied(fleet, bot("sol"))
    with pytest.raises(Conflict, match=str(fleet.workspace.root)):
        claim(Workspace(root=tmp_path), "lab")


def test_a_second_checkout_takes_over_from_one_that_is_down(fleet: Fleet, tmp_path: Path) -> None:
    applied(fleet, bot("sol"))
    applied(fleet)
    claim(Workspace(root=tmp_path), "lab")


def test_another_fleet_id_is_no_conflict(fleet: Fleet, tmp_path: Path) -> None:
    applied(fleet, bot("sol"))
    claim(Workspace(root=tmp_path), "other")
