"""A canary trades at a smaller size, and is judged by its rejects, fills, profit and the age of its data."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.instrument import Instrument
from engine.plan.canary import Vitals, Watched, shrunk, trouble, verdict, vitals, watch
from engine.spec.types import BotSpec, CanarySpec, StrategySpec
from tests.plan import fleets
from tests.trading.desk_bench import PERP

SOL = msgspec.structs.replace(PERP, min_size=Decimal("0.05"))


def bot(kind: str, **parameters: Any) -> BotSpec:
    return msgspec.structs.replace(fleets.spec("sol"), strategy=StrategySpec(kind=kind, parameters=parameters))


def parameters(spec: BotSpec, pct: int, instrument: Instrument | None = SOL) -> dict[str, Any]:
    return shrunk(spec, Decimal(pct), instrument).strategy.parameters


def test_the_order_size_shrinks_onto_the_lot_and_nothing_else_changes() -> None:
    before = bot("perp_market_maker", order_size="0.5", spread_bps=8, layers=3)
    assert parameters(before, 25) == {"order_size": "0.12", "spread_bps": 8, "layers": 3}
    small = shrunk(before, Decimal(25), SOL)
    assert msgspec.structs.replace(small, strategy=before.strategy) == before


def test_it_never_shrinks_below_what_the_venue_takes() -> None:
    assert parameters(bot("perp_market_maker", order_size="0.1"), 10) == {"order_size": "0.05"}
    assert parameters(bot("perp_market_maker", order_size="0.03"), 10) == {"order_size": "0.03"}


def test_a_grid_shrinks_by_its_capital_where_that_sizes_it() -> None:
    by_capital = {"order_size": None, "capital": 1000, "levels": 10}
    assert parameters(bot("grid", **by_capital), 25) == {**by_capital, "capital": 250}


def test_the_capital_of_a_market_maker_is_inventory_and_stays() -> None:
    capital = {"base": "20", "quote": "3000"}
    assert parameters(bot("market_maker", order_size=2, capital=capital), 50) == {
        "order_size": 1,
        "capital": capital,
    }


@given(
    size=st.decimals(min_value="0.05", max_value=1000, places=2),
    pct=st.integers(min_value=1, max_value=100),
)
def test_a_shrunk_size_is_on_the_lot_and_never_more_than_the_whole(size: Decimal, pct: int) -> None:
    small = Decimal(str(parameters(bot("perp_market_maker", order_size=str(size)), pct)["order_size"]))
    assert small <= size and small >= SOL.min_size and small % SOL.lot_size == 0


def policy(**changes: Any) -> CanarySpec:
    canary = fleets.rollout(canary={}).canary
    assert canary is not None
    free = {"max_rejects_in_a_row": None, "max_stale_s": None}
    return msgspec.structs.replace(canary, **{**free, **changes})


def seen(*looks: dict[str, Any]) -> Watched:
    usual = {"fills": 0, "net_usd": Decimal(0), "rejects_in_a_row": 0, "is_fresh": True}
    watched = None
    for second, look in enumerate(looks):
        watched = watch(watched, Vitals(at_s=float(second), **{**usual, **look}))
    assert watched is not None
    return watched


def test_the_most_rejects_in_a_row_count_not_the_last() -> None:
    watched = seen({}, {"rejects_in_a_row": 4}, {})
    assert trouble(policy(max_rejects_in_a_row=3), watched) == "4 orders in a row were rejected, 3 are allowed"
    assert trouble(policy(max_rejects_in_a_row=4), watched) == ""
    assert trouble(policy(), watched) == ""


def test_fills_count_from_the_first_look_and_only_at_the_end() -> None:
    watched = seen({"fills": 7}, {"fills": 8})
    assert trouble(policy(min_fills=2), watched) == ""
    assert verdict(policy(min_fills=2), watched) == "had 1 fills, 2 are needed"
    assert verdict(policy(min_fills=1), watched) == ""


def test_a_loss_counts_from_the_first_look() -> None:
    watched = seen({"net_usd": Decimal(-50)}, {"net_usd": Decimal("-62.5")})
    assert trouble(policy(max_loss_usd=Decimal(12)), watched) == "lost 12.5 in quote, 12 are allowed"
    assert verdict(policy(max_loss_usd=Decimal(13)), watched) == ""


def test_an_unknown_profit_is_no_good_end_and_no_early_one() -> None:
    watched = seen({}, {"net_usd": None})
    assert trouble(policy(max_loss_usd=Decimal(12)), watched) == ""
    assert verdict(policy(max_loss_usd=Decimal(12)), watched) == "what it made or lost is unknown"
    assert verdict(policy(), watched) == ""


@pytest.mark.parametrize(
    ("fresh", "longest_s"),
    [
        ([True, True, True], 0),
        ([True, False, False, False, True], 3),
        ([False, False, True, False], 2),
        ([True, False, True, False, False], 1),
    ],
)
def test_stale_data_counts_in_one_piece(fresh: list[bool], longest_s: int) -> None:
    watched = seen(*({"is_fresh": one} for one in fresh))
    assert watched.longest_stale_s == longest_s
    assert bool(trouble(policy(max_stale_s=Decimal(2)), watched)) is (longest_s > 2)


def test_vitals_are_read_from_what_an_engine_says() -> None:
    leg = {"venue": "backpack", "account": "main", "market": "SOL", "ready": True, "orders": 2, "unresolved": 0}
    leg |= {"fills": 3, "position": "1", "realised_pnl": "1.5", "unrealised_pnl": "-0.5"}
    told = vitals({"legs": {"main": leg}, "risk": {"net_pnl": None, "rejects_in_a_row": 1}}, 5.0)
    assert told == Vitals(at_s=5.0, fills=3, net_usd=Decimal(1), rejects_in_a_row=1, is_fresh=True)
    assert vitals({"legs": {"main": leg}, "risk": {"net_pnl": "0.9"}}, 5.0).net_usd == Decimal("0.9")
    unknown = vitals({"legs": {"main": {**leg, "unrealised_pnl": None, "ready": False}}, "risk": None}, 5.0)
    assert unknown.net_usd is None and not unknown.is_fresh
