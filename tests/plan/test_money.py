"""Money in a plan: what is known is added up, what is not is called unknown, and neither is ever the other."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given

from engine.model.account import BudgetUse
from engine.plan.diff import diff
from engine.plan.document import plan_document
from engine.plan.money import Totals, totals
from engine.plan.observed import Engine, Observed
from engine.plan.render import Density, degraded, render
from engine.spec.types import BotSpec, LegSpec
from tests.plan import fleets
from tests.plan.presents import fleets_of_specs, presents


def sums(*wanted: BotSpec, seen: Observed) -> Totals:
    return totals(action.money for action in diff(fleets.desired(*wanted), seen).actions)


def test_net_lets_long_and_short_cancel_out_and_gross_does_not() -> None:
    long, short = fleets.spec("eth"), fleets.spec("sol")
    seen = fleets.running(long, short, position="1.5")
    engines = {**seen.engines, "sol": fleets.engine(short, position="-1")}
    total = sums(long, short, seen=msgspec.structs.replace(seen, engines=engines))
    assert (total.net.known, total.gross.known) == (Decimal(70), Decimal(350))
    assert total.net.unknown == 0


def test_a_pair_loses_what_it_has_in_the_simulated_venue_that_starts_over_and_nothing_else() -> None:
    one = fleets.spec("pair")
    pair = msgspec.structs.replace(
        one,
        legs={**one.legs, "hedge": LegSpec(venue="paradex", account="far", market="SOL-USD-PERP")},
        accounts={**one.accounts, "far": msgspec.structs.replace(fleets.ACCOUNT, name="far", venue="paradex")},
    )
    plan = diff(fleets.desired(pair, sim_seed=2), fleets.running(pair, sim_seed=1))
    words = render(plan)
    assert "position -1.5 in SOL_USDC_PERP is dropped" in words
    assert "position -1.5 in SOL-USD-PERP is kept" in words
    total = totals(action.money for action in plan.actions)
    assert (total.net.known, total.net_after.known) == (Decimal(-420), Decimal(-210))


@pytest.mark.parametrize(("policy", "after"), [("keep", "-210"), ("flatten", "0"), ("reduce", None)])
def test_what_is_left_after_a_stop_is_what_its_policy_leaves(policy: str, after: str | None) -> None:
    seen = fleets.running(fleets.spec("sol", stop_policy=policy))
    (action,) = diff(fleets.desired(), seen).actions
    left = action.money.legs["main"].notional_after
    assert left == (None if after is None else Decimal(after))


def test_the_worst_case_follows_the_declared_limit_and_ends_with_the_bot() -> None:
    before, after = fleets.spec("sol", max_position=5), fleets.spec("sol", max_position=50)
    seen = fleets.running(before)
    raised = sums(after, seen=seen)
    assert (raised.worst.known, raised.worst_after.known) == (Decimal(490), Decimal(7000))
    assert sums(seen=seen).worst_after.known == Decimal(210)


def test_on_spot_the_worst_case_is_the_capital_in_one_asset() -> None:
    spot = fleets.spec("sol", max_position=5)
    parameters = {"capital": {"base": "20", "quote": "3000"}}
    wanted = msgspec.structs.replace(
        spot,
        strategy=msgspec.structs.replace(spot.strategy, parameters=parameters),
        risk=msgspec.structs.replace(spot.risk, max_position=None),
    )
    assert sums(wanted, seen=fleets.running(spot)).worst_after.known == Decimal(3000)


def test_the_price_of_one_market_says_nothing_of_another() -> None:
    moved = fleets.spec("sol", market="ETH_USDC_PERP")
    assert sums(moved, seen=fleets.running(fleets.spec("sol"))).worst_after.is_unknown


def test_a_bot_that_nobody_can_ask_counts_as_unknown_beside_the_others() -> None:
    eth, sol = fleets.spec("eth"), fleets.spec("sol")
    seen = fleets.running(eth, sol)
    engines = {"eth": seen.engines["eth"]}
    plan = diff(fleets.desired(eth, sol), msgspec.structs.replace(seen, engines=engines))
    assert "unknown of 1 of 2" in render(plan, density=Density.FULL)


def test_the_same_account_is_told_once_with_the_count_nearest_to_its_limit() -> None:
    sol = fleets.spec("sol")
    seen = fleets.running(sol)
    engine = seen.engines["sol"]
    assert isinstance(engine, Engine)
    use = {"requests": BudgetUse(used_per_minute=30, limit_per_minute=120, pace=1.0)}
    use["orders"] = BudgetUse(used_per_minute=90, limit_per_minute=100, pace=1.0)
    legs = {"main": msgspec.structs.replace(engine.legs["main"], budget=use)}
    stakes = {"main": msgspec.structs.replace(engine.stakes["main"], margin_free=Decimal(1000))}
    told = msgspec.structs.replace(engine, legs=legs, stakes=stakes)
    plan = diff(fleets.desired(sol), msgspec.structs.replace(seen, engines={"sol": told}))
    text = render(plan, density=Density.FULL)
    assert "account main    margin used unknown, free 1,000.00; rate limit 90 % of orders used" in text


@given(old=presents(), new=fleets_of_specs)
def test_a_figure_that_nobody_knows_is_never_a_number(old: Observed, new: list[BotSpec]) -> None:
    plan = diff(fleets.desired(*new), old)
    document = plan_document(plan)
    for action, written in zip(plan.actions, document["actions"], strict=True):
        for name, leg in action.money.legs.items():
            assert (written["money"]["legs"][name]["notional"] is None) is (leg.notional is None)
            if not isinstance(old.engines.get(action.name), Engine):
                assert leg.notional is None and leg.flatten_cost is None and leg.worst is None


def test_a_terminal_without_the_signs_gets_others_and_says_which() -> None:
    restarts = diff(fleets.desired(fleets.spec("sol", stop_timeout_s=45)), fleets.running(fleets.spec("sol")))
    text = render(restarts)
    assert degraded(text, "utf-8") == text
    plain = degraded(text, "ascii")
    assert plain.isascii() and "@ sol  restart" in plain and "legend: @ restart" in plain and "30 -> 45" in plain


def test_two_legs_are_told_apart() -> None:
    legs = {
        name: LegSpec(venue="backpack", account="main", market=market)
        for name, market in (("maker", "SOL_USDC_PERP"), ("hedge", "SOL_USDC"))
    }
    hedger = msgspec.structs.replace(fleets.spec("sol"), legs=legs)
    text = render(diff(fleets.desired(), fleets.running(hedger)))
    assert "maker: 4 own orders will be cancelled" in text and "hedge: 4 own orders will be cancelled" in text
