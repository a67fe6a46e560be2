"""What is kept of every apply, how it is told, and how an earlier one is made true again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli import run
from engine import __version__
from engine.control import generations
from engine.control.apply import apply
from engine.control.audit import record
from engine.control.chain import verify
from engine.control.desired import desired_again
from engine.control.destroy import destroy, destroyed
from engine.control.fleet import Fleet, caller
from engine.control.generations import KEEP, Deed, forget_old, outcome_kept, switch_to, write_generation
from engine.control.halt import halt
from engine.control.history import find_generation, history, last_good
from engine.control.in_force import rollback_in_force
from engine.control.lifecycle import restart, start, stop
from engine.control.lock import writer_lock
from engine.errors import BotctlError, Conflict, Refused, UsageError
from engine.host.generation import kept_generations, read_current
from engine.host.workspace import Workspace
from engine.plan.diff import diff
from engine.plan.observed import Observed
from engine.spec.types import BotSpec
from tests.control.outside import pids
from tests.control.test_converge import _behave, applied, bot, planned
from tests.plan.fleets import desired


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """With files, so that verbs find it, and without a process."""
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "fleet.yaml").write_text("id: lab\n")
    place = Workspace(root=tmp_path)
    place.prepare()
    return place


def written(workspace: Workspace, *specs: BotSpec, result: str = "applied", deed: Deed | None = None) -> int:
    """A generation on disk and in force."""
    wanted = desired(*specs)
    number = write_generation(workspace, wanted, conf="", plan=diff(wanted, Observed()), deed=deed)
    switch_to(workspace, number)
    if result == "applied":
        with outcome_kept(workspace, number):
            pass
    elif result == "failed":
        with pytest.raises(BotctlError), outcome_kept(workspace, number):
            raise BotctlError("sol is not healthy")
    return number


def rolled_back(fleet: Fleet, number: int, why: str = "") -> None:
    wanted = desired_again(find_generation(fleet.workspace, number))
    apply(fleet, wanted, lambda _plan: None, deed=Deed(verb="rollback", why=why, came_from=number))


def said(workspace: Workspace, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run([*words, "-C", str(workspace.root)]) == 0
    return capsys.readouterr().out


def log(fleet: Fleet) -> list[tuple[str, str]]:
    entries = [json.loads(line) for line in fleet.workspace.audit_log.read_bytes().splitlines()]
    return [(entry["what"], entry["result"]) for entry in entries if entry["what"] != "begin"]


def test_a_generation_tells_who_made_it_from_what_plan_and_how_it_ended(fleet: Fleet) -> None:
    applied(fleet, bot("eth"), bot("sol"))
    applied(fleet, bot("eth"), bot("sol", spread_bps="12"))
    newest, first = history(fleet.workspace, 20)
    assert (newest.number, newest.is_current, first.is_current) == (2, True, False)
    assert (first.words, newest.words) == ("create eth, sol", "update sol")
    assert (newest.verb, newest.result, newest.who, newest.version) == ("apply", "applied", caller(), __version__)
    assert newest.finished_at is not None and newest.started_at < newest.finished_at
    plan = json.loads((fleet.workspace.generations / "2" / "plan.json").read_bytes())
    assert [action["name"] for action in plan["actions"] if action["is_change"]] == ["sol"]


def test_an_apply_that_failed_is_kept_with_its_reason(fleet: Fleet) -> None:
    _behave(fleet, "sol", "exit 4")
    with pytest.raises(BotctlError):
        applied(fleet, bot("sol"))
    past = history(fleet.workspace, 1)[0]
    assert past.result == "failed" and "sol: ended with exit code 4" in past.error
    assert log(fleet) == [("apply", "begun"), ("apply", "failed")]


def test_an_apply_is_in_progress_while_its_process_holds_the_lock_and_interrupted_after(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    with writer_lock(workspace, "apply"):
        written(workspace, bot("sol"), result="none")
        assert "in progress" in said(workspace, capsys, "history")
    assert "interrupted" in said(workspace, capsys, "history")
    with writer_lock(workspace, "stop"):
        assert history(workspace, 1)[0].result == "interrupted", "another command has the lock by now"


def test_an_interrupted_apply_that_had_done_everything_is_closed_by_the_next(fleet: Fleet) -> None:
    applied(fleet, bot("sol"))
    (fleet.workspace.generations / "1" / "result.json").unlink()
    assert history(fleet.workspace, 1)[0].result == "interrupted"
    applied(fleet, bot("sol"))
    assert [past.result for past in history(fleet.workspace, 5)] == ["applied"]


def test_a_generation_of_an_earlier_version_is_read_and_its_result_is_unknown(workspace: Workspace) -> None:
    number = written(workspace, bot("sol"), result="none")
    file = workspace.generations / str(number) / "meta.json"
    meta = json.loads(file.read_bytes())
    for name in ("verb", "why", "words", "came_from"):
        del meta[name]
    file.write_text(json.dumps(meta))
    assert history(workspace, 1)[0].result == "unknown"
    assert read_current(workspace) is not None


def test_a_generation_that_cannot_be_read_hides_no_other(workspace: Workspace) -> None:
    written(workspace, bot("sol"))
    written(workspace, bot("eth"))
    (workspace.generations / "1" / "meta.json").write_text("{")
    assert [past.result for past in history(workspace, 5)] == ["applied", "damaged"]


def test_history_shows_the_newest_first_and_no_more_than_asked(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "nothing was applied" in said(workspace, capsys, "history")
    for spread in ("10", "11", "12"):
        written(workspace, bot("sol", spread_bps=spread), deed=Deed(why=f"try {spread}"))
    shown = said(workspace, capsys, "history", "-n", "2").splitlines()
    assert [line.split()[0] for line in shown] == ["GEN", "3", "2", "3:", "2:"]
    assert shown[1].split()[1] == "*" and shown[3] == "3: why: try 12"
    told = json.loads(said(workspace, capsys, "history", "--json", "-n", "1"))
    assert [(past["number"], past["is_current"], past["why"]) for past in told] == [(3, True, "try 12")]


def test_one_generation_is_shown_with_the_plan_it_came_from(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    written(workspace, bot("sol"), deed=Deed(why="first day"))
    first, *rest = said(workspace, capsys, "history", "1").splitlines()
    assert first.startswith("generation 1 of 2") and first.endswith(": apply, applied")
    assert rest == [
        "why: first day",
        "  create sol: perp_market_maker on backpack SOL_USDC_PERP (account main)",
    ]
    told = json.loads(said(workspace, capsys, "history", "1", "--json"))
    assert told["number"] == 1 and [action["kind"] for action in told["plan"]["actions"]] == ["create"]
    (workspace.generations / "1" / "plan.json").unlink()
    assert "its plan was not kept" in said(workspace, capsys, "history", "1")


def test_diff_tells_what_changed_between_generations_field_by_field(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    written(workspace, bot("sol"), bot("old"))
    written(workspace, bot("sol", spread_bps="12"), bot("new"))
    written(workspace, bot("sol", spread_bps="12"), bot("new"))
    shown = said(workspace, capsys, "diff", "1", "2").splitlines()
    assert shown == [
        "generation 1 → 2",
        "  + new  added",
        "  - old  removed",
        "  ~ sol  changed",
        "      strategy.spread_bps: 10 → 12",
    ]
    assert said(workspace, capsys, "diff", "1").splitlines()[1:] == shown[1:], "else with the one in force"
    assert said(workspace, capsys, "diff", "2", "3") == "generation 2 → 3: no difference\n"
    told = json.loads(said(workspace, capsys, "diff", "2", "1", "--json"))
    assert told["bots"][2] == {
        "name": "sol",
        "what": "changed",
        "changes": [{"path": "strategy.spread_bps", "before": "12", "after": "10"}],
    }


def test_diff_tells_what_changed_in_the_fleet_itself(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in (1, 2):
        number = write_generation(workspace, desired(bot("sol"), sim_seed=seed), conf="")
    switch_to(workspace, number)
    assert "sim.backpack.seed: 1 → 2" in said(workspace, capsys, "diff", "1")


def test_a_generation_that_is_not_kept_is_named(workspace: Workspace) -> None:
    written(workspace, bot("sol"))
    with pytest.raises(UsageError, match="generation 7"):
        run(["diff", "7", "-C", str(workspace.root)])


def test_a_rollback_is_an_apply_of_an_earlier_generation_as_a_new_one(fleet: Fleet) -> None:
    applied(fleet, bot("eth"), bot("sol"))
    applied(fleet, bot("sol", spread_bps="12"), bot("new"))
    before = pids(fleet)
    rolled_back(fleet, 1, why="too wide")
    assert set(pids(fleet)) == {"eth", "sol"} and pids(fleet)["sol"] == before["sol"]
    assert planned(fleet, bot("eth"), bot("sol")) == []
    past = history(fleet.workspace, 1)[0]
    assert (past.number, past.came_from, past.verb, past.why) == (3, 1, "rollback", "too wide")
    assert kept_generations(fleet.workspace) == (1, 2, 3)
    assert log(fleet)[-2:] == [("rollback", "begun"), ("rollback", "done")]
    assert rollback_in_force(fleet.workspace).endswith(": too wide")
    assert planned(fleet, bot("sol", spread_bps="12"), bot("new")) != [], "the files still say otherwise"
    applied(fleet, bot("sol", spread_bps="12"), bot("new"))
    assert rollback_in_force(fleet.workspace) == ""


def test_a_rollback_to_what_is_in_force_writes_nothing(fleet: Fleet) -> None:
    applied(fleet, bot("sol"))
    rolled_back(fleet, 1)
    assert kept_generations(fleet.workspace) == (1,)


def test_the_default_is_the_newest_generation_before_that_was_applied_to_the_end(workspace: Workspace) -> None:
    with pytest.raises(Conflict, match="nothing was applied"):
        last_good(workspace)
    for result in ("applied", "applied", "failed", "none"):
        written(workspace, bot("sol"), result=result)
    assert last_good(workspace) == 2
    switch_to(workspace, 1)
    with pytest.raises(Conflict) as none:
        last_good(workspace)
    assert none.value.hint is not None and "botctl rollback GEN" in none.value.hint


def test_a_rollback_says_what_does_not_roll_back_and_asks(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    written(workspace, bot("sol"))
    written(workspace, bot("sol", spread_bps="12"))
    with pytest.raises(Refused, match="no terminal"):
        run(["rollback", "-C", str(workspace.root)])
    shown = capsys.readouterr().out
    assert "back to generation 1" in shown and "positions do not roll back" in shown and "+ sol" in shown
    assert kept_generations(workspace) == (1, 2)


def test_a_bot_that_an_earlier_generation_does_not_have_goes_for_that_reason(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    written(workspace, bot("sol"))
    written(workspace, bot("sol"), bot("new"))
    with pytest.raises(Refused, match="no terminal"):
        run(["rollback", "-C", str(workspace.root)])
    shown = capsys.readouterr().out
    assert "generation 1 has no such bot" in shown and "no file declares" not in shown
    with pytest.raises(Refused, match="no terminal"):
        run(["destroy", "new", "-C", str(workspace.root)])
    assert "destroyed, until it is applied again" in capsys.readouterr().out


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions that a person at a terminal is asked; every answer is yes."""
    questions: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda question, **_: questions.append(question) or True)
    return questions


@pytest.mark.parametrize("verb", ["rollback", "destroy"])
def test_nobody_is_asked_about_what_would_be_refused_anyway(
    workspace: Workspace, asked: list[str], verb: str
) -> None:
    written(workspace, bot("sol"))
    written(workspace, bot("sol"), bot("eth", protected=True))
    words = ["rollback", "1"] if verb == "rollback" else ["destroy", "eth"]
    with pytest.raises(Refused, match="eth is protected") as refused:
        run([*words, "-C", str(workspace.root)])
    assert asked == [] and "--accept protected" in str(refused.value.hint)


def test_only_the_newest_are_kept_and_never_less_than_what_runs(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "KEEP", 2)
    for _ in range(6):
        written(workspace, bot("sol"))
    switch_to(workspace, 2)
    (workspace.generations / ".old-1").mkdir()
    forget_old(workspace, {1, 3})
    assert kept_generations(workspace) == (1, 2, 3, 5, 6)
    assert not list(workspace.generations.glob(".*"))
    assert write_generation(workspace, desired(bot("sol")), conf="") == 7
    assert KEEP == 100, "the number the guide gives"


def test_a_generation_an_engine_runs_outlives_many_applies(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generations, "KEEP", 1)
    applied(fleet, bot("eth"), bot("sol"))
    for spread in ("11", "12", "13"):
        applied(fleet, bot("eth"), bot("sol", spread_bps=spread))
    assert kept_generations(fleet.workspace) == (1, 3, 4), (
        "eth runs the first; when the last was written, sol ran 3"
    )


def test_every_verb_that_acts_is_in_the_audit_log(fleet: Fleet) -> None:
    applied(fleet, bot("eth"), bot("sol"))
    stop(fleet, ["sol"], why="a look")
    start(fleet, ["sol"], why="it was fine")
    stop(fleet, ["sol"], why="again")
    start(fleet, ["sol"], lift_trips=True)
    restart(fleet, ["sol"], why="for luck")
    halt(fleet, ["sol"], flatten=False, timeout_s=0.1, why="alarm")
    start(fleet, ["sol"])
    current = read_current(fleet.workspace)
    assert current is not None
    destroy(fleet, destroyed(desired_again(current), ["eth"]), lambda _plan: None, names=["eth"], why="tired")
    verbs = ["apply", "stop", "start", "stop", "resume", "restart", "halt", "start", "destroy", "retire"]
    ended = [(verb, result) for verb, result in log(fleet) if result != "begun"]
    assert [verb for verb, _ in ended] == verbs
    assert {result for verb, result in ended if verb != "halt"} == {"done"}
    content = fleet.workspace.audit_log.read_bytes()
    for why in ("a look", "it was fine", "for luck", "alarm", "tired"):
        assert f'"why": "{why}"'.encode() in content
    assert not verify(content).broken


def test_the_audit_verb_shows_the_newest_and_checks_all(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "nothing was done" in said(workspace, capsys, "audit")
    assert "no entry yet" in said(workspace, capsys, "audit", "verify")
    record(workspace, "stop", result="done", bots=["sol"], why="a look", generation=1)
    record(workspace, "start", result="done", bots=["sol"])
    shown = said(workspace, capsys, "audit", "-n", "2").splitlines()
    assert shown[0].split() == ["WHEN", "(UTC)", "WHO", "VERB", "RESULT", "WHAT"]
    assert shown[1].endswith("sol; generation: 1; why: a look") and len(shown) == 3
    assert [entry["what"] for entry in json.loads(said(workspace, capsys, "audit", "--json"))] == [
        "begin",
        "stop",
        "start",
    ]
    words = said(workspace, capsys, "audit", "verify").splitlines()
    assert words[0] == "3 entries, each follows from the one before"
    head = words[1].removeprefix("head ")
    record(workspace, "down", result="done")
    assert "4 entries" in said(workspace, capsys, "audit", "verify", "--head", head)
    with pytest.raises(BotctlError, match="does not hold the entry"):
        run(["audit", "verify", "--head", "0" * 64, "-C", str(workspace.root)])
    content = workspace.audit_log.read_bytes()
    workspace.audit_log.write_bytes(content.replace(b"a look", b"a joke"))
    with pytest.raises(BotctlError, match="line 2 changed after line 3 was written") as broken:
        run(["audit", "verify", "-C", str(workspace.root)])
    assert broken.value.exit_code == 1


def test_unlock_wants_a_reason_and_says_what_it_did(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="--why"):
        run(["unlock", "-C", str(workspace.root)])
    assert "nobody holds" in said(workspace, capsys, "unlock", "--why", "to be sure")
