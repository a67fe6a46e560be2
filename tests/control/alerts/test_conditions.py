"""What somebody should hear about, and what not."""

from __future__ import annotations

from msgspec.structs import replace

from engine.control.alerts.conditions import conditions
from engine.control.metrics.snapshot import Snapshot
from engine.control.status import BotStatus
from tests.control.metrics.snapshots import LEG, calm, snapshot


def wrong(snapshot: Snapshot) -> dict[str, tuple[str, bool]]:
    return {condition.key: (condition.text, condition.is_urgent) for condition in conditions(snapshot)}


def of(status: BotStatus) -> dict[str, tuple[str, bool]]:
    return wrong(snapshot(statuses=(status,)))


MAKER, MUTE = snapshot().statuses
CALM = replace(calm().statuses[0], legs={"main": replace(LEG, unresolved=0)})


def test_a_fleet_that_runs_as_declared_is_no_news() -> None:
    assert of(CALM) == {}


def test_a_bot_that_should_not_be_left_alone_is_with_its_reason() -> None:
    assert of(MUTE) == {"bot/mute": ("mute is unknown: does not answer", False)}


def test_a_hedge_that_fails_is_told_at_once_and_not_twice() -> None:
    told = of(replace(CALM, hedge=MAKER.hedge))
    assert told == {"hedge/maker": ("maker is not hedged: below the minimum", True)}


def test_an_order_whose_fate_is_unknown_is() -> None:
    ((key, (text, _)),) = of(replace(CALM, legs={"main": LEG})).items()
    assert key == "unresolved/maker/main"
    assert text == "maker does not know what became of orders on SOL_USDC of alpha on backpack (1)"


def test_position_that_nobody_traded_is() -> None:
    legs = {"main": replace(LEG, unresolved=0, unexplained="-0.5")}
    assert of(replace(CALM, legs=legs)).keys() == {"unexplained/maker/main"}


def test_a_trip_is_although_such_a_bot_is_held_and_may_be_left_alone() -> None:
    held = replace(CALM, state="held", legs={})
    told = wrong(snapshot(statuses=(held,), trips={"maker": "lost 50"}))
    assert told == {"trip/maker": ("maker tripped: lost 50", True)}


def test_a_program_beside_the_bots_that_does_not_run_is_and_a_mute_supervisor() -> None:
    told = wrong(snapshot(statuses=(), companions={"sentinel": False, "watch": True}, supervisor_answers=False))
    assert told.keys() == {"companion/sentinel", "supervisor"}
