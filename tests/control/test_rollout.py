"""Rollouts against a real supervisord: wave by wave, canary first, and back again when something fails."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import jsonschema
import msgspec
import pytest

from engine.control import canary, health, risks
from engine.control.apply import apply
from engine.control.desired import desired_of
from engine.control.destroy import destroy, destroyed
from engine.control.events import Stream
from engine.control.fleet import Fleet
from engine.control.lifecycle import stop
from engine.control.observe import observe
from engine.errors import BotctlError, Refused
from engine.host.generation import read_current
from engine.host.holds import Hold, HoldKind, place_hold
from engine.plan.actions import Plan
from engine.plan.diff import diff
from engine.plan.freezes import Freeze
from engine.plan.observed import Engine
from engine.plan.risk_words import RiskWord
from engine.resources import resource
from engine.spec.types import BotSpec, RolloutSpec
from tests.plan import fleets
from tests.plan.test_risks import SOON


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Canaries are asked often, so that little time is enough for them."""
    monkeypatch.setattr(canary, "POLL_S", 0.05)
    monkeypatch.setattr(health, "POLL_S", 0.02)


def bot(name: str, spread_bps: str = "10", **changes: Any) -> BotSpec:
    one = fleets.spec(name, spread_bps=spread_bps, **{"stop_timeout_s": 5, "market": name, **changes})
    parameters = {**one.strategy.parameters, "order_size": "1"}
    return msgspec.structs.replace(one, strategy=msgspec.structs.replace(one.strategy, parameters=parameters))


def policy(**changes: Any) -> RolloutSpec:
    return msgspec.structs.replace(fleets.rollout(**changes), health_timeout_s=Decimal(3))


def rolled_out(fleet: Fleet, *specs: BotSpec, rollout: RolloutSpec | None = None, **consent: Any) -> Plan:
    return apply(fleet, fleets.desired(*specs, policy=rollout), lambda _plan: None, **consent)


def forget(fleet: Fleet) -> None:
    (fleet.workspace.state / "told" / "journal").unlink(missing_ok=True)


def journal(fleet: Fleet) -> list[str]:
    """What engines lived through, in order: `start NAME SPREAD SIZE`."""
    file = fleet.workspace.state / "told" / "journal"
    return file.read_text().splitlines() if file.exists() else []


def behave(fleet: Fleet, name: str, how: str) -> None:
    place = fleet.workspace.state / "fake"
    place.mkdir(exist_ok=True)
    (place / name).write_text(how)


def spreads(fleet: Fleet) -> dict[str, object]:
    """What runs, by its engines' words."""
    return {
        name: engine.spec.strategy.parameters["spread_bps"]
        for name, engine in observe(fleet).engines.items()
        if isinstance(engine, Engine) and engine.spec
    }


def left_to_do(fleet: Fleet, *specs: BotSpec, rollout: RolloutSpec | None = None) -> list[str]:
    return [action.name for action in diff(fleets.desired(*specs, policy=rollout), observe(fleet)).changes]


def test_a_hedger_is_up_before_its_makers_start_and_down_after_they_stopped(fleet: Fleet) -> None:
    bots = [bot("a"), bot("b"), bot("h", role="hedger")]
    behave(fleet, "a", "drain 0.3")
    rolled_out(fleet, *bots)
    started = [line.split()[:2] for line in journal(fleet)]
    assert started[0] == ["start", "h"] and sorted(started[1:]) == [["start", "a"], ["start", "b"]]
    forget(fleet)
    rolled_out(fleet, bot("a", stop_timeout_s=6), bot("b"), bot("h", role="hedger", stop_timeout_s=6))
    assert [line.split()[:2] for line in journal(fleet)] == [
        ["drain", "a"],
        ["end", "a"],
        ["end", "h"],
        ["start", "h"],
        ["start", "a"],
    ]


def test_bots_that_need_not_wait_for_one_another_drain_together(fleet: Fleet) -> None:
    names = ("a", "b", "c", "d")
    for name in names:
        behave(fleet, name, "drain 2")
    rolled_out(fleet, *(bot(name) for name in names))
    forget(fleet)
    rolled_out(fleet, *(bot(name, stop_timeout_s=6) for name in names))
    what = [line.split()[0] for line in journal(fleet)]
    assert what[:4] == ["drain"] * 4 and what.count("start") == 4


def test_a_maker_is_not_started_without_its_hedger(fleet: Fleet) -> None:
    behave(fleet, "h", "exit 4")
    with pytest.raises(BotctlError, match="a: was not started, because h is not healthy"):
        rolled_out(fleet, bot("a"), bot("h", role="hedger"))
    assert journal(fleet) == []
    (fleet.workspace.state / "fake" / "h").unlink()
    rolled_out(fleet, bot("a"), bot("h", role="hedger"))
    assert set(spreads(fleet)) == {"a", "h"}


def test_waves_follow_one_another_and_nothing_is_left(fleet: Fleet) -> None:
    names = ("a", "b", "c")
    rolled_out(fleet, *(bot(name) for name in names))
    forget(fleet)
    rollout = policy(max_unavailable=1)
    rolled_out(fleet, *(bot(name, stop_timeout_s=6) for name in names), rollout=rollout)
    assert [line.split()[:2] for line in journal(fleet)] == [
        [what, name] for name in names for what in ("end", "start")
    ]
    assert left_to_do(fleet, *(bot(name, stop_timeout_s=6) for name in names), rollout=rollout) == []


def test_a_bot_whose_wave_has_not_come_stands_in_the_generation_as_it_was(fleet: Fleet) -> None:
    """So that a crash restart in the middle of a rollout cannot take settings ahead of their wave."""
    rolled_out(fleet, bot("a"), bot("b"))
    behave(fleet, "a", "at 12 quiet")
    with pytest.raises(BotctlError, match="wave 1 of 2 failed"):
        rolled_out(fleet, bot("a", "12"), bot("b", "12"), rollout=policy(max_unavailable=1, on_failure="stop"))
    generation = read_current(fleet.workspace)
    assert generation is not None
    assert {name: one.strategy.parameters["spread_bps"] for name, one in generation.bots.items()} == {
        "a": "12",
        "b": "10",
    }
    (fleet.workspace.state / "fake" / "a").unlink()
    rolled_out(fleet, bot("a", "12"), bot("b", "12"), rollout=policy(max_unavailable=1))
    assert spreads(fleet) == {"a": "12", "b": "12"}


def test_a_bot_that_runs_and_does_not_quote_fails_its_wave_and_everything_goes_back(fleet: Fleet) -> None:
    rolled_out(fleet, bot("a"), bot("b"), bot("c"), bot("d"))
    behave(fleet, "b", "at 12 quiet")
    told: list[str] = []
    loud = telling(fleet, told)
    with pytest.raises(BotctlError) as failed:
        rolled_out(
            loud,
            bot("a", "12"),
            bot("b", "12"),
            bot("c", "12"),
            bot("new", "12"),
            rollout=policy(max_unavailable=1),
        )
    assert failed.value.exit_code == 1
    assert "wave 2 of 4 failed" in failed.value.message and "without quotes" in failed.value.message
    assert (
        "rolled back to the settings of generation 1, positions and fills are not rolled back"
        in failed.value.message
    )
    assert spreads(fleet) == {"a": "10", "b": "10", "c": "10", "d": "10"}
    (shown,) = [line for line in told if line.startswith("rolling back")]
    assert "2 to change in place" in shown and "spread_bps: 12 → 10" in shown
    assert any(
        json.loads(line)["what"] == "rollback" for line in fleet.workspace.audit_log.read_text().splitlines()
    )
    assert left_to_do(fleet, bot("a"), bot("b"), bot("c"), bot("d")) == []


def test_a_new_bot_that_fails_is_taken_away_again(fleet: Fleet) -> None:
    rolled_out(fleet, bot("a"))
    behave(fleet, "new", "exit 4")
    with pytest.raises(BotctlError, match="rolled back"):
        rolled_out(fleet, bot("a", "12"), bot("new"), rollout=policy())
    assert spreads(fleet) == {"a": "10"}
    assert left_to_do(fleet, bot("a")) == []


def test_a_first_apply_that_fails_has_nothing_to_go_back_to(fleet: Fleet) -> None:
    behave(fleet, "a", "exit 4")
    with pytest.raises(BotctlError, match="ended with exit code 4") as failed:
        rolled_out(fleet, bot("a"), bot("b"), rollout=policy())
    assert failed.value.hint is not None and "no earlier generation" in failed.value.hint
    assert set(spreads(fleet)) == {"b"}


def test_without_a_rollout_running_is_enough(fleet: Fleet) -> None:
    behave(fleet, "a", "quiet")
    rolled_out(fleet, bot("a"))
    assert set(spreads(fleet)) == {"a"}


def test_a_bot_that_is_held_in_its_wave_has_failed(fleet: Fleet) -> None:
    rolled_out(fleet, bot("a"))
    hold = Hold(bot="a", kind=HoldKind.TRIP, who="a", since_ns=0, why="stop_loss_usd")
    behave(fleet, "a", "exit 4")

    def trips(line: str) -> None:
        if "in force" in line:
            place_hold(fleet.workspace, hold)

    watched = Fleet(workspace=fleet.workspace, backend=fleet.backend, progress=trips)
    with pytest.raises(BotctlError, match="a: tripped: stop_loss_usd"):
        rolled_out(watched, bot("a", stop_timeout_s=6), rollout=policy())


def test_the_canary_goes_first_and_small_and_is_promoted(fleet: Fleet) -> None:
    rolled_out(fleet, bot("a"), bot("b"))
    forget(fleet)
    plan = rolled_out(fleet, bot("a", "12"), bot("b", "12"), rollout=policy(canary={"for_s": 0.3, "size_pct": 25}))
    assert [(wave.bots, wave.canary) for wave in plan.waves] == [(("a",), True), (("a", "b"), False)]
    assert journal(fleet)[0] == "change a 12 0.25"
    assert sorted(journal(fleet)[1:]) == ["change a 12 1", "change b 12 1"]
    assert left_to_do(fleet, bot("a", "12"), bot("b", "12"), rollout=policy(canary={"for_s": 0.3})) == []


@pytest.mark.parametrize(
    ("how", "bounds", "why"),
    [
        ("rejected", {}, "canary a 9 orders in a row were rejected"),
        ("losing", {"max_loss_usd": 10}, "canary a lost"),
        ("well", {"min_fills": 5}, "canary a had 0 fills"),
    ],
)
def test_a_canary_beyond_its_bounds_is_reverted_and_nobody_follows(
    fleet: Fleet, how: str, bounds: dict[str, Any], why: str
) -> None:
    rolled_out(fleet, bot("a"), bot("b"))
    forget(fleet)
    behave(fleet, "a", f"at 12 {how}")
    rollout = policy(canary={"for_s": 0.3, "max_rejects_in_a_row": 3, "max_stale_s": 10, **bounds})
    with pytest.raises(BotctlError, match=f"wave 1 of 2 failed: {why}.*rolled back"):
        rolled_out(fleet, bot("a", "12"), bot("b", "12"), rollout=rollout)
    assert journal(fleet) == ["change a 12 0.25", "change a 10 1"]
    assert left_to_do(fleet, bot("a"), bot("b")) == []


def test_a_canary_that_somebody_stops_is_no_proof(fleet: Fleet) -> None:
    rolled_out(fleet, bot("a"), bot("b"))

    def held(line: str) -> None:
        if line.startswith("watching"):
            place_hold(fleet.workspace, Hold(bot="a", kind=HoldKind.PAUSE, who="ann", since_ns=0, why="looks odd"))

    watched = Fleet(workspace=fleet.workspace, backend=fleet.backend, progress=held)
    with pytest.raises(BotctlError, match=r"canary a is held \(pause\) by ann: looks odd"):
        rolled_out(watched, bot("a", "12"), bot("b", "12"), rollout=policy(canary={"for_s": 20}))
    assert spreads(fleet)["b"] == "10"


def test_an_apply_that_was_interrupted_between_waves_is_finished_by_the_next(fleet: Fleet) -> None:
    rolled_out(fleet, bot("a"), bot("b"), bot("c"))
    rollout = policy(max_unavailable=1, canary={"for_s": 0.2})

    def ctrl_c(line: str) -> None:
        if line.startswith("wave 3"):
            raise KeyboardInterrupt

    crashing = Fleet(workspace=fleet.workspace, backend=fleet.backend, progress=ctrl_c)
    new = [bot(name, "12") for name in ("a", "b", "c")]
    with pytest.raises(KeyboardInterrupt):
        rolled_out(crashing, *new, rollout=rollout)
    assert spreads(fleet) == {"a": "12", "b": "10", "c": "10"}
    rolled_out(fleet, *new, rollout=rollout)
    assert left_to_do(fleet, *new, rollout=rollout) == []


def test_a_held_bot_is_no_part_of_a_rollout(fleet: Fleet) -> None:
    rolled_out(fleet, bot("a"), bot("b"), bot("c"))
    stop(fleet, ["b"], why="maintenance")
    rolled_out(fleet, *(bot(name, "12") for name in ("a", "b", "c")), rollout=policy(max_unavailable=1))
    assert spreads(fleet) == {"a": "12", "c": "12"}


def test_a_protected_bot_survives_the_deletion_of_its_file_and_destroy(fleet: Fleet) -> None:
    rolled_out(fleet, bot("a", protected=True), bot("b"))
    with pytest.raises(Refused, match="a is protected") as refused:
        rolled_out(fleet, bot("b"))
    assert refused.value.exit_code == 5
    generation = read_current(fleet.workspace)
    assert generation is not None
    with pytest.raises(Refused, match="a is protected"):
        destroy(fleet, destroyed(desired_of(generation), ["a"]), lambda _plan: None, names=["a"])
    assert set(spreads(fleet)) == {"a", "b"}
    rolled_out(fleet, bot("b"), accepted={RiskWord.PROTECTED})
    assert set(spreads(fleet)) == {"b"}


def test_an_empty_folder_of_bots_retires_nobody(fleet: Fleet) -> None:
    rolled_out(fleet, bot("a"))
    with pytest.raises(Refused, match="declares no bot at all") as refused:
        rolled_out(fleet)
    assert refused.value.hint is not None and "--accept empty" in refused.value.hint
    assert set(spreads(fleet)) == {"a"}


def test_nothing_changes_in_a_freeze_but_by_its_word(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    rolled_out(fleet, bot("a"))
    freeze = Freeze(why="figures", until=SOON)
    monkeypatch.setattr(risks, "freezes_at", lambda *_: (freeze,))
    with pytest.raises(Refused, match="frozen until 2026-11-22 14:00 UTC: figures"):
        rolled_out(fleet, bot("a", "12"), rollout=policy())
    assert spreads(fleet) == {"a": "10"}
    rolled_out(fleet, bot("a", "12"), rollout=policy(), accepted={RiskWord.FREEZE})
    assert spreads(fleet) == {"a": "12"}


def hearing(fleet: Fleet) -> tuple[Fleet, list[dict[str, Any]]]:
    """What a program hears of an apply, each line under its published schema."""
    schema = json.loads(resource("schemas", "apply-events.schema.json").read_text())
    plans = json.loads(resource("schemas", "plan.schema.json").read_text())
    heard: list[dict[str, Any]] = []

    def hear(line: str) -> None:
        event = json.loads(line)
        jsonschema.Draft202012Validator(schema).validate(event)
        if "plan" in event:
            jsonschema.Draft202012Validator(plans).validate(event["plan"])
        heard.append(event)

    return replace(fleet, events=Stream(hear)), heard


def test_programs_hear_of_every_wave(fleet: Fleet) -> None:
    rolled_out(fleet, bot("a"), bot("b"))
    loud, heard = hearing(fleet)
    rollout = policy(max_unavailable=1, canary={"for_s": 0.1, "size_pct": 50})
    rolled_out(loud, bot("a", "12"), bot("b", "12"), rollout=rollout)
    waves = [event for event in heard if event["event"].startswith("wave")]
    assert [(event["event"], event["wave"], event["bots"], event["canary"]) for event in waves] == [
        ("wave_begun", 1, ["a"], True),
        ("wave_healthy", 1, ["a"], True),
        ("wave_begun", 2, ["a"], False),
        ("wave_healthy", 2, ["a"], False),
        ("wave_begun", 3, ["b"], False),
        ("wave_healthy", 3, ["b"], False),
    ]
    assert {event["of"] for event in waves} == {3}
    between = [event["event"] for event in heard[heard.index(waves[0]) : heard.index(waves[1])]]
    assert "generation_switched" in between and "step_done" in between


def test_programs_hear_of_a_wave_that_failed_and_of_the_way_back(fleet: Fleet) -> None:
    rolled_out(fleet, bot("a"), bot("b"))
    behave(fleet, "b", "at 12 quiet")
    loud, heard = hearing(fleet)
    with pytest.raises(BotctlError):
        rolled_out(loud, bot("a", "12"), bot("b", "12"), rollout=policy(max_unavailable=1))
    told = [event for event in heard if event["event"].startswith(("wave", "roll"))]
    assert [event["event"] for event in told] == [
        "wave_begun",
        "wave_healthy",
        "wave_begun",
        "wave_failed",
        "rollback_begun",
        "rolled_back",
    ]
    failed, begun, done = told[3:]
    assert (failed["wave"], failed["of"], failed["bots"]) == (2, 2, ["b"]) and "without quotes" in failed["error"]
    assert begun["to_generation"] == done["to_generation"] == 1
    assert {action["name"]: action["kind"] for action in begun["plan"]["actions"]} == {"a": "update", "b": "update"}


def telling(fleet: Fleet, told: list[str]) -> Fleet:
    return Fleet(workspace=fleet.workspace, backend=fleet.backend, progress=told.append)
