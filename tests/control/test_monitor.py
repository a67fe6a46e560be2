"""What the monitor goes by while the applied state is being looked at by nobody, or is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.control.monitor import Declared
from engine.errors import StateDamaged
from engine.host.workspace import Workspace
from engine.spec.types import MetricsSpec
from tests.fleets import bot_spec, fleet_spec, write_generation

METRICS = MetricsSpec(host="127.0.0.1", port=9464)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(root=tmp_path)
    write_generation(workspace, {"sol": bot_spec("sol")}, fleet=replace(fleet_spec(), metrics=METRICS))
    return workspace


@pytest.mark.parametrize("damage", [b"", b"\xff", None], ids=["empty", "no text", "gone"])
def test_applied_state_that_is_damaged_does_not_end_who_would_tell_of_it(
    workspace: Workspace, damage: bytes | None
) -> None:
    declared = Declared(workspace)
    place = workspace.current.resolve()
    if damage is None:
        place.rename(place.with_name("away"))
    else:
        (place / "fleet.json").write_bytes(damage)
    assert declared.metrics == METRICS
    write_generation(workspace, {"sol": bot_spec("sol")}, number=2)
    assert declared.metrics is None


def test_state_that_never_could_be_read_is_an_error(workspace: Workspace) -> None:
    (workspace.current.resolve() / "fleet.json").write_bytes(b"\xff")
    with pytest.raises(StateDamaged):
        Declared(workspace)
