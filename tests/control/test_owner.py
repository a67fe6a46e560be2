"""Who may touch a fleet, and what a caller who may not is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.control.fleet import require_owner
from engine.errors import Refused
from engine.host.workspace import Workspace


def test_the_owner_may(tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path)
    workspace.state.mkdir()
    require_owner(workspace, verb="plan")


def test_a_fleet_without_state_is_anybodys(tmp_path: Path) -> None:
    require_owner(Workspace(root=tmp_path), verb="plan")


def test_root_is_refused_too_and_told_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(root=tmp_path)
    workspace.state.mkdir()
    monkeypatch.setattr(os, "getuid", lambda: workspace.state.stat().st_uid + 1)
    with pytest.raises(Refused) as refused:
        require_owner(workspace, verb="apply")
    assert refused.value.hint is not None
    assert refused.value.hint.startswith("sudo -u ") and f"botctl apply -C {tmp_path}" in refused.value.hint
