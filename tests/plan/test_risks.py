"""What `--yes` does not answer is found in the plan, and only its own word takes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from engine.errors import Refused, UsageError
from engine.plan.desired import Desired
from engine.plan.diff import diff
from engine.plan.freezes import Freeze, freezes_at
from engine.plan.observed import Observed
from engine.plan.risk_words import RiskWord, parse_risks
from engine.plan.risks import RiskFound, require_accepted, risks_of
from engine.spec.types import BotSpec, Environment, FreezeSpec
from tests.plan import fleets

SOON = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)


def found(desired: Desired, observed: Observed, *freezes: Freeze) -> list[tuple[str, str]]:
    risks = risks_of(diff(desired, observed), desired, observed, freezes)
    return [(str(one.risk), one.why) for one in risks]


def words(desired: Desired, observed: Observed) -> list[str]:
    return [risk for risk, _ in found(desired, observed)]


def spec(name: str, **changes: Any) -> BotSpec:
    return fleets.spec(name, market=name, **changes)


def test_an_ordinary_change_takes_no_risk() -> None:
    assert words(fleets.desired(spec("sol", spread_bps="12")), fleets.running(spec("sol"))) == []


def test_an_account_trades_real_money_for_the_first_time_once() -> None:
    live = msgspec.structs.replace(fleets.ACCOUNT, environment=Environment.MAINNET)
    bot = msgspec.structs.replace(spec("sol"), accounts={"main": live})
    assert words(fleets.desired(bot), Observed()) == ["mainnet"]
    assert words(fleets.desired(bot), fleets.running(bot)) == []


def test_protection_survives_the_deletion_of_its_own_line() -> None:
    guarded = spec("sol", protected=True)
    assert words(fleets.desired(spec("eth")), fleets.running(guarded, spec("eth"))) == ["protected"]
    loosened = spec("sol", protected=False)
    moved = msgspec.structs.replace(
        loosened, legs={"main": msgspec.structs.replace(loosened.legs["main"], market="X")}
    )
    assert words(fleets.desired(moved), fleets.running(guarded)) == ["protected"]


def test_a_protected_bot_may_change_stop_and_be_unprotected() -> None:
    guarded = fleets.running(spec("sol", protected=True))
    for change in ({"spread_bps": "12"}, {"stop_timeout_s": 40}, {"enabled": False}, {}):
        assert words(fleets.desired(spec("sol", **change)), guarded) == []


def test_going_back_to_before_a_bot_was_protected_wants_the_word_for_it() -> None:
    guarded = fleets.running(spec("sol", protected=True), spec("eth", protected=True))
    before = fleets.desired(spec("sol"), spec("eth", protected=True))
    assert found(msgspec.structs.replace(before, came_from=2), guarded) == [
        ("protected", "sol is protected, and was not yet in generation 2: its protection would go")
    ]
    held = msgspec.structs.replace(guarded, holds={"sol": fleets.held("stop")})
    assert words(msgspec.structs.replace(before, came_from=2), held) == ["protected"]


def test_protection_counts_from_the_apply_that_declares_it() -> None:
    assert words(fleets.desired(spec("eth")), fleets.running(spec("sol", protected=False), spec("eth"))) == []


def test_a_position_is_flattened_only_knowingly() -> None:
    def leaving(**facts: Any) -> list[str]:
        return words(
            fleets.desired(spec("eth")), fleets.running(spec("sol", stop_policy="flatten"), spec("eth"), **facts)
        )

    assert leaving(position="-1.5") == ["flatten"]
    assert leaving(ready=False) == ["flatten"]
    assert leaving(position="0") == []


def test_no_bot_at_all_is_hardly_meant() -> None:
    two = fleets.running(spec("sol"), spec("eth"))
    assert found(fleets.desired(), two) == [("empty", "bots/ declares no bot at all, and 2 bots would be retired")]
    assert words(fleets.desired(), Observed()) == []


def test_a_freeze_counts_only_for_what_changes() -> None:
    freeze = Freeze(why="figures from the US", until=SOON)
    seen = fleets.running(spec("sol"))
    changed = fleets.desired(spec("sol", spread_bps="12"))
    assert found(changed, seen, freeze) == [("freeze", "frozen until 2026-11-22 14:00 UTC: figures from the US")]
    assert found(fleets.desired(spec("sol")), seen, freeze) == []
    assert found(fleets.desired(spec("sol", labels={"desk": "asia"})), seen, freeze) == []


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ({"max_changes": 1}, "2 bots would change, rollout.max_changes is 1"),
        ({"max_changes": 2}, ""),
        ({"max_stopped_pct": 30}, "1 of 3 running bots would stop, rollout.max_stopped_pct is 30"),
        ({"max_stopped_pct": 34}, ""),
        (
            {"max_notional_usd": 149},
            "what may be open of the bots that change is 150 in quote; rollout.max_notional_usd is 149",
        ),
        ({"max_notional_usd": 150}, ""),
    ],
)
def test_more_than_the_rollout_allows_is_a_blast_radius(policy: dict[str, Any], why: str) -> None:
    bots = [spec("eth", open_usd=100), spec("sol", open_usd=50), spec("btc")]
    new = [spec("eth", open_usd=100, spread_bps="12"), spec("sol", open_usd=50, stop_timeout_s=40), spec("btc")]
    desired = fleets.desired(*new, policy=fleets.rollout(**policy))
    assert found(desired, fleets.running(*bots)) == ([("blast-radius", why)] if why else [])


def test_what_may_be_open_and_is_unknown_is_too_much() -> None:
    desired = fleets.desired(spec("sol", spread_bps="12"), policy=fleets.rollout(max_notional_usd=1000000))
    ((risk, why),) = found(desired, fleets.running(spec("sol")))
    assert risk == "blast-radius" and "unknown" in why


def test_every_open_risk_is_named_with_the_words_that_take_it() -> None:
    taken = RiskFound(risk=RiskWord.MAINNET, why="real money")
    risks = [RiskFound(risk=RiskWord.EMPTY, why="nothing left"), RiskFound(risk=RiskWord.FREEZE, why="frozen")]
    with pytest.raises(Refused, match=r"^nothing left; frozen$") as refused:
        require_accepted([*risks, taken], {RiskWord.MAINNET, RiskWord.FLATTEN})
    assert refused.value.exit_code == 5
    assert refused.value.hint is not None and "--accept empty,freeze,mainnet" in refused.value.hint
    with pytest.raises(Refused, match=r"^frozen"):
        require_accepted(risks, {RiskWord.EMPTY})
    require_accepted(risks, {RiskWord.EMPTY, RiskWord.FREEZE})


def test_an_unknown_risk_is_a_usage_error() -> None:
    assert parse_risks(" mainnet,blast-radius, ") == {RiskWord.MAINNET, RiskWord.BLAST_RADIUS}
    with pytest.raises(UsageError, match="'main-net'") as wrong:
        parse_risks("mainnet,main-net")
    assert wrong.value.exit_code == 64 and wrong.value.hint == "did you mean mainnet?"


HOURLY = {"backpack": "0 * * * *"}


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-11-20T12:59:59", []),
        ("2026-11-20T13:00:00", ["2026-11-20T14:00"]),
        ("2026-11-20T13:59:59", ["2026-11-20T14:00"]),
        ("2026-11-20T14:00:00", []),
        ("2026-11-22T13:30:00", []),
        ("2026-11-20T15:30:00+02:00", ["2026-11-20T14:00"]),
    ],
)
def test_a_window_opens_at_its_time_and_closes_after_its_minutes(now: str, ends: list[str]) -> None:
    policy = msgspec.structs.replace(
        fleets.rollout(), freeze=(FreezeSpec(cron="0 13 * * MON-FRI", for_minutes=60, why="figures"),)
    )
    assert [f"{one.until:%Y-%m-%dT%H:%M}" for one in freezes_at(_at(now), policy, {})] == ends


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-11-20T07:54:59", []),
        ("2026-11-20T07:55:00", ["08:05"]),
        ("2026-11-20T08:00:00", ["08:05"]),
        ("2026-11-20T08:04:59", ["08:05"]),
        ("2026-11-20T08:05:00", []),
    ],
)
def test_the_minutes_around_a_funding_are_frozen(now: str, ends: list[str]) -> None:
    policy = fleets.rollout(freeze_funding_minutes=5)
    assert [f"{one.until:%H:%M}" for one in freezes_at(_at(now), policy, HOURLY)] == ends


def test_without_a_word_of_it_nothing_is_ever_frozen() -> None:
    assert freezes_at(_at("2026-11-20T08:00:00"), None, HOURLY) == ()
    assert freezes_at(_at("2026-11-20T08:00:00"), fleets.rollout(), HOURLY) == ()


def _at(text: str) -> datetime:
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)
