"""Apply and its relatives against a real supervisord: only what the plan says happens, whatever came before."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from engine.control import health, remains
from engine.control.apply import apply, as_shown
from engine.control.backends import conf
from engine.control.down import take_down
from engine.control.fleet import Fleet
from engine.control.lifecycle import restart, start, stop
from engine.control.lock import writer_lock
from engine.control.observe import observe
from engine.control.status import fleet_status
from engine.errors import BotctlError, Locked, Refused, StalePlan, UsageError
from engine.host.facts import write_facts
from engine.host.generation import read_current
from engine.host.holds import Hold, HoldKind, place_hold
from engine.plan.actions import Plan
from engine.plan.diff import diff
from engine.plan.risk_words import RiskWord
from engine.spec.facts import VenueMarkets
from engine.spec.types import BotSpec, Environment
from tests.control.outside import pids, until
from tests.plan.fleets import ACCOUNT, desired, spec


def bot(name: str, **changes: object) -> BotSpec:
    return spec(name, **{"stop_timeout_s": 2, **changes})


def applied(fleet: Fleet, *specs: BotSpec) -> Plan:
    wanted = desired(*specs)
    return apply(fleet, wanted, lambda _plan: None, accepted={RiskWord.EMPTY})


def planned(fleet: Fleet, *specs: BotSpec) -> list[tuple[str, str]]:
    return [(str(action.kind), action.name) for action in diff(desired(*specs), observe(fleet)).changes]


def test_after_an_apply_there_is_nothing_to_do(fleet: Fleet) -> None:
    plan = applied(fleet, bot("eth"), bot("sol"))
    assert [action.kind for action in plan.changes] == ["create", "create"]
    assert planned(fleet, bot("eth"), bot("sol")) == []
    assert {one.name: one.state for one in fleet_status(observe(fleet))} == {"eth": "running", "sol": "running"}


def test_a_change_in_place_keeps_the_process_and_leaves_the_others_alone(fleet: Fleet) -> None:
    applied(fleet, bot("eth"), bot("sol"))
    before = pids(fleet)
    applied(fleet, bot("eth"), bot("sol", spread_bps="12"))
    assert pids(fleet) == before
    assert planned(fleet, bot("eth"), bot("sol", spread_bps="12")) == []


def test_only_the_replaced_bot_gets_a_new_process(fleet: Fleet) -> None:
    applied(fleet, bot("eth"), bot("sol"))
    before = pids(fleet)
    applied(fleet, bot("eth"), bot("sol", market="ETH_USDC_PERP"))
    after = pids(fleet)
    assert after["eth"] == before["eth"]
    assert after["sol"] != before["sol"]


def test_a_removed_bot_is_gone_and_forgotten(fleet: Fleet) -> None:
    applied(fleet, bot("eth"), bot("sol"))
    applied(fleet, bot("eth"))
    assert set(pids(fleet)) == {"eth"}
    assert set(fleet.backend.observe()) == {"bot-eth"}
    assert planned(fleet, bot("eth")) == []


def test_generations_are_numbered_and_the_old_ones_stay(fleet: Fleet) -> None:
    applied(fleet, bot("sol"))
    applied(fleet, bot("sol", spread_bps="12"))
    generation = read_current(fleet.workspace)
    assert generation is not None and generation.number == 2
    assert sorted(place.name for place in fleet.workspace.generations.iterdir()) == ["1", "2"]


def test_an_apply_that_changes_nothing_writes_no_generation(fleet: Fleet) -> None:
    applied(fleet, bot("sol"))
    applied(fleet, bot("sol"))
    generation = read_current(fleet.workspace)
    assert generation is not None and generation.number == 1


def test_a_stopped_bot_stays_stopped_over_apply_and_a_new_supervisor(fleet: Fleet) -> None:
    applied(fleet, bot("eth"), bot("sol"))
    stop(fleet, ["sol"], why="maintenance")
    applied(fleet, bot("eth"), bot("sol", spread_bps="12"))
    take_down(fleet)
    applied(fleet, bot("eth"), bot("sol", spread_bps="12"))
    assert set(pids(fleet)) == {"eth"}
    assert [one.state for one in fleet_status(observe(fleet))] == ["running", "held"]
    start(fleet, ["sol"])
    assert set(pids(fleet)) == {"eth", "sol"}
    assert planned(fleet, bot("eth"), bot("sol", spread_bps="12")) == []


def test_a_start_that_is_told_to_wait_lifts_no_hold(fleet: Fleet) -> None:
    """The next apply would start the bot, and nobody would have said so."""
    applied(fleet, bot("sol"))
    stop(fleet, ["sol"], why="maintenance")
    with writer_lock(fleet.workspace, "apply"), pytest.raises(Locked):
        start(fleet, ["sol"])
    assert planned(fleet, bot("sol")) == [] and pids(fleet) == {}
    start(fleet, ["sol"])
    assert set(pids(fleet)) == {"sol"}


def test_a_bot_that_tripped_is_not_set_going_by_a_stop_and_a_start(fleet: Fleet) -> None:
    applied(fleet, bot("eth"), bot("sol"))
    trip = Hold(bot="sol", kind=HoldKind.TRIP, who="the risk guard", since_ns=1, why="stop_loss_usd: lost 10")
    place_hold(fleet.workspace, trip)
    stop(fleet, [], why="maintenance")
    (sol,) = (one for one in fleet_status(observe(fleet)) if one.name == "sol")
    assert sol.why.endswith("maintenance; before that it tripped: stop_loss_usd: lost 10")
    with pytest.raises(Refused, match="sol tripped: stop_loss_usd: lost 10"):
        start(fleet, ["sol"])
    start(fleet, [])
    assert set(pids(fleet)) == {"eth"}
    start(fleet, ["sol"], lift_trips=True)
    assert set(pids(fleet)) == {"eth", "sol"}


def test_restart_gives_a_new_process_and_the_same_settings(fleet: Fleet) -> None:
    applied(fleet, bot("sol"))
    before = pids(fleet)
    restart(fleet, ["sol"])
    assert pids(fleet)["sol"] != before["sol"]
    assert planned(fleet, bot("sol")) == []


def test_a_bot_that_comes_straight_back_is_told_to_keep_its_position(fleet: Fleet) -> None:
    applied(fleet, bot("sol", stop_policy="flatten"))
    restart(fleet, ["sol"])
    told = fleet.workspace.state / "told" / "sol"
    assert json.loads(told.read_text())["keep_position"] is True
    told.unlink()
    stop(fleet, ["sol"], why="a test")
    assert not told.exists(), "a stop does what the bot's policy says"


def test_starting_what_runs_or_is_disabled_says_so(fleet: Fleet) -> None:
    applied(fleet, bot("eth", enabled=False), bot("sol"))
    told: list[str] = []
    start(replace(fleet, progress=told.append), ["eth", "sol"])
    assert told == ["eth does not start: its file says `enabled: false`", "sol runs already"]
    told.clear()
    stop(fleet, ["sol"], why="a look")
    start(replace(fleet, progress=told.append), ["sol"])
    assert told == ["sol is healthy"]


def test_an_unknown_bot_is_a_usage_error(fleet: Fleet) -> None:
    applied(fleet, bot("sol"))
    with pytest.raises(UsageError, match="dogs"):
        stop(fleet, ["dogs"], why="")


def test_an_apply_after_kill_9_of_supervisord_leaves_one_runner_per_bot(fleet: Fleet) -> None:
    applied(fleet, bot("eth"), bot("sol"))
    before = pids(fleet)
    daemon = int((fleet.workspace.state / "supervisord.pid").read_text())
    os.kill(daemon, signal.SIGKILL)
    until(lambda: not _runs(daemon))
    applied(fleet, bot("eth"), bot("sol"))
    after = pids(fleet)
    assert set(after) == set(before) and not set(after.values()) & set(before.values())
    assert not [pid for pid in before.values() if _runs(pid)]


def test_the_supervisor_starts_a_killed_engine_again(fleet: Fleet) -> None:
    applied(fleet, bot("sol"))
    before = pids(fleet)["sol"]
    os.kill(before, signal.SIGKILL)
    until(lambda: pids(fleet).get("sol", before) != before)
    assert planned(fleet, bot("sol")) == []


def test_a_plan_is_stale_when_the_present_gives_another(fleet: Fleet) -> None:
    wanted = desired(bot("sol"))
    shown = diff(wanted, observe(fleet))
    applied(fleet, bot("sol"))
    with pytest.raises(StalePlan):
        apply(fleet, wanted, as_shown(shown))


def test_real_money_wants_more_than_yes_the_first_time(fleet: Fleet) -> None:
    write_facts(fleet.workspace, "backpack", Environment.MAINNET, VenueMarkets(fetched_at_ns=0, instruments=()))
    live = msgspec.structs.replace(ACCOUNT, environment=Environment.MAINNET)
    wanted = desired(msgspec.structs.replace(bot("sol"), accounts={"main": live}))
    with pytest.raises(Refused, match="main") as refused:
        apply(fleet, wanted, lambda _plan: None)
    assert refused.value.hint is not None and "--accept mainnet" in refused.value.hint
    assert read_current(fleet.workspace) is None
    apply(fleet, wanted, lambda _plan: None, accepted={"mainnet"})
    apply(fleet, wanted, lambda _plan: None)


def test_only_one_command_changes_the_fleet_at_a_time(fleet: Fleet) -> None:
    with writer_lock(fleet.workspace, "apply"), pytest.raises(Locked, match="botctl apply"):
        applied(fleet, bot("sol"))


def test_a_bot_that_refuses_to_run_is_named(fleet: Fleet) -> None:
    _behave(fleet, "sol", "exit 4")
    with pytest.raises(BotctlError, match="sol: ended with exit code 4"):
        applied(fleet, bot("eth"), bot("sol"))
    assert [one.state for one in fleet_status(observe(fleet))] == ["running", "failed"]
    assert planned(fleet, bot("eth"), bot("sol")) == [("start", "sol")]


def test_a_silent_bot_fails_the_health_gate(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "DEADLINE_S", 0.5)
    _behave(fleet, "sol", "silent")
    with pytest.raises(BotctlError, match="sol: is not healthy"):
        applied(fleet, bot("sol"))


def test_what_is_applied_is_interrupted_and_applied_again_converges(fleet: Fleet) -> None:
    """A crash right after the switch of generations: engines still run the old settings."""
    applied(fleet, bot("eth"), bot("sol"))

    class Crash(Exception):
        pass

    def crash_at_switch(line: str) -> None:
        if "in force" in line:
            raise Crash

    crashing = Fleet(workspace=fleet.workspace, backend=fleet.backend, progress=crash_at_switch)
    with pytest.raises(Crash):
        applied(crashing, bot("sol", spread_bps="12"), bot("new"))
    applied(fleet, bot("sol", spread_bps="12"), bot("new"))
    assert set(pids(fleet)) == {"sol", "new"}
    assert planned(fleet, bot("sol", spread_bps="12"), bot("new")) == []


def test_a_bot_killed_in_its_stop_procedure_is_reported_not_forgotten(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conf, "KILL_GRACE_S", 0)
    _behave(fleet, "sol", "stubborn")
    applied(fleet, bot("sol", stop_timeout_s=Decimal("0.1")))
    generation = read_current(fleet.workspace)
    with pytest.raises(BotctlError, match="orders may still rest"):
        applied(fleet)
    assert read_current(fleet.workspace) == generation


def test_a_bot_that_ends_without_its_stop_procedure_is_reported(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It crashed, and was stopped or removed before it ran again: nobody would ever ask for its orders."""
    applied(fleet, bot("eth"), bot("sol"))
    for name in ("eth", "sol"):
        (fleet.workspace.journals / name).mkdir(parents=True)
        (fleet.workspace.journals / name / "account.sqlite").touch()
    monkeypatch.setattr(remains, "orders_left", lambda _workspace, spec, **_: 4 if spec.name == "sol" else 0)
    stop(fleet, ["eth"], why="test")
    with pytest.raises(BotctlError, match="sol: 4 of its orders may still rest"):
        stop(fleet, ["sol"], why="test")
    with pytest.raises(BotctlError, match="sol: 4 of its orders may still rest"):
        applied(fleet, bot("eth"))
    assert planned(fleet, bot("eth")) == []


def test_destroying_the_last_bot_ends_the_supervisor(fleet: Fleet) -> None:
    applied(fleet, bot("sol"))
    applied(fleet)
    assert not fleet.workspace.supervisor_socket.exists()
    assert planned(fleet) == []


def _behave(fleet: Fleet, name: str, how: str) -> None:
    place = fleet.workspace.state / "fake"
    place.mkdir(exist_ok=True)
    (place / name).write_text(how)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
