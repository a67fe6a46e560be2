"""What somebody ignores of drift can be told again, by its id."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import cli
from engine.control.drift.ignoring import note_ignored
from engine.errors import Conflict, Refused, UsageError
from engine.host.ignored_drift import ignored_drift
from engine.host.workspace import Workspace
from engine.plan.drift.findings import NOTED, Finding, Kind, Way


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "fleet.yaml").write_text("id: lab\naccounts: {}\n")
    workspace = Workspace(root=tmp_path)
    workspace.prepare()
    return workspace


def ignored(workspace: Workspace, found: str) -> str:
    finding = Finding(
        kind=Kind.FOREIGN_ORDER,
        bot="sol",
        expected="none",
        found=found,
        source="x",
        means=dict.fromkeys(Way, NOTED),
    )
    note_ignored(workspace, finding, why="mine")
    return finding.id


def unignore(workspace: Workspace, *words: str) -> int:
    return cli.run(["drift", "unignore", *words, "-C", str(workspace.root)])


def test_a_finding_is_ignored_until_somebody_takes_that_back(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = ignored(workspace, "one order"), ignored(workspace, "two orders")
    with pytest.raises(Refused, match="nobody can be asked"):
        unignore(workspace, first)
    assert set(ignored_drift(workspace)) == {first, second}
    assert unignore(workspace, first[:5], "--yes", "--why", "look at it again") == 0
    assert set(ignored_drift(workspace)) == {second}
    assert f"{first} is ignored no more" in capsys.readouterr().out
    deeds = [json.loads(line) for line in workspace.audit_log.read_bytes().splitlines()]
    assert [(deed["finding"], deed["why"]) for deed in deeds if deed["what"] == "drift unignore"][-1] == (
        first,
        "look at it again",
    )


def test_only_what_is_ignored_can_be_told_again(workspace: Workspace) -> None:
    with pytest.raises(Conflict, match="no finding abcdef is ignored"):
        unignore(workspace, "abcdef", "--yes")
    with pytest.raises(UsageError, match="unignore which finding"):
        unignore(workspace)
