"""Small mistakes on the command line, and what is said so that the next try is right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import cli
from engine.commands.init import _fleet_id
from engine.commands.logs import readable
from engine.commands.status import _nothing
from engine.control.audit import record
from engine.errors import UsageError
from engine.host.workspace import Workspace
from engine.plan.observed import Observed
from tests.plan import fleets


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        (["-C"], "what to do in that workspace is not said", "botctl -C DIR VERB"),
        (["-C", "there"], "what to do in that workspace is not said", "botctl -C . plan"),
        (["--directory", "there"], "what to do in that workspace is not said", "botctl -C . plan"),
        (["calibrate", "nowhere.gz"], "there is no recording at nowhere.gz", "botctl market record"),
        (["plan", "change.botplan"], "a saved plan is not planned again", "botctl apply change.botplan"),
        (["plan", "-o", "nowhere/a.botplan"], "there is no folder nowhere", "mkdir -p nowhere"),
        (["plan", "--html", "nowhere/a.html"], "there is no folder nowhere", "mkdir -p nowhere"),
        (["--yes", "apply"], "no verb '--yes'", "the verb comes first"),
        (["aply"], "no verb 'aply'", "did you mean `botctl apply`?"),
    ],
)
def test_a_line_without_a_verb_says_what_is_missing(line: list[str], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        cli.run(line)
    assert message in refused.value.message
    assert hint in (refused.value.hint or "")


@pytest.mark.parametrize("line", [[], ["--help"], ["-C", ".", "--help"], ["-C", ".", "help"]])
def test_help_is_found_wherever_it_is_asked_for(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(line) == 0
    assert "usage: botctl VERB" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("folder", "fleet"),
    [
        ("Über alles", "uber-alles"),
        ("Straße_7", "strasse-7"),
        ("Ångström", "angstrom"),
        ("日本", "fleet"),
        ("-", "fleet"),
    ],
)
def test_a_fleets_id_is_its_folders_name_as_it_is_spoken(folder: str, fleet: str) -> None:
    assert _fleet_id(folder) == fleet


def test_a_record_says_nothing_where_nothing_is_known_and_whose_time_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "fleet.yaml").write_text("id: lab\naccounts: {}\n")
    workspace = Workspace(root=tmp_path)
    workspace.prepare()
    record(workspace, "down", result="done")
    cli.run(["audit", "-C", str(tmp_path)])
    told = capsys.readouterr().out
    assert "WHEN (UTC)" in told
    assert "None" not in told


def test_a_line_of_the_log_has_its_day_and_zone() -> None:
    line = json.dumps({"at": "2026-11-22T14:01:13.250Z", "level": "info", "message": "spec taken", "n": 1})
    assert readable(line) == "11-22 14:01:13.250Z info    spec taken n=1"


def test_what_runs_without_a_generation_is_not_passed_over() -> None:
    assert _nothing(Observed()).splitlines() == ["nothing is applied here; `botctl plan` shows what would be"]
    running = _nothing(Observed(engines=fleets.running(fleets.spec("sol")).engines))
    assert "still running, although nothing says why: sol; `botctl down`" in running
