"""Every strategy that is registered keeps the promises of `engine.testing.strategies`, whatever the market does."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.strategies.registry import BUILT_IN
from engine.testing.strategies import StrategyContract, rehearse

MODELS: tuple[dict[str, Any], ...] = (
    {},
    {"pricing": "volatility", "volatility_multiple": "1", "horizon_s": "10"},
    {
        "pricing": "avellaneda_stoikov",
        "risk_aversion": "0.05",
        "order_book_liquidity": "0.2",
        "horizon_s": "60",
    },
    {"pricing": "glft", "risk_aversion": "0.05", "order_book_liquidity": "0.2", "arrival_rate": "0.5"},
)
LAYERED = {"spread_bps": "8", "order_size": "0.5", "layers": 3}
RANGE = {"levels": 9, "lower": "98", "upper": "102", "order_size": "0.5"}
ACTIONS = ("hold", "recenter", "stop", "close_and_stop")
SAMPLES: dict[str, tuple[dict[str, Any], ...]] = {
    "market_maker": tuple({**LAYERED, "capital": {"base": "4", "quote": "600"}, **model} for model in MODELS),
    "perp_market_maker": tuple(
        {**LAYERED, "inventory_skew": "1", "funding_skew": "0.1", **model} for model in MODELS
    ),
    "grid": tuple({**RANGE, "boundary_action": action} for action in ACTIONS),
    "perp_grid": (
        *({**RANGE, "boundary_action": action} for action in ACTIONS),
        {**RANGE, "direction": "long"},
        {**RANGE, "direction": "short", "spacing": "geometric"},
        {"levels": 9, "auto_range_pct": "1", "order_size": "0.5", "boundary_action": "recenter"},
    ),
    "maker_taker_hedge": (
        {"order_size": "0.5", "max_unhedged": "8"},
        {"order_size": "0.5", "max_unhedged": "8", "min_edge_bps": "5", "offset_ticks": 2},
    ),
}


def test_every_registered_strategy_is_held_to_the_contract() -> None:
    assert SAMPLES.keys() == BUILT_IN.keys()


class TestMarketMaker(StrategyContract):
    kind = "market_maker"
    parameters = SAMPLES["market_maker"]


class TestPerpMarketMaker(StrategyContract):
    kind = "perp_market_maker"
    parameters = SAMPLES["perp_market_maker"]


class TestGrid(StrategyContract):
    kind = "grid"
    parameters = SAMPLES["grid"]


class TestPerpGrid(StrategyContract):
    kind = "perp_grid"
    parameters = SAMPLES["perp_grid"]


class TestMakerTakerHedge(StrategyContract):
    kind = "maker_taker_hedge"
    parameters = SAMPLES["maker_taker_hedge"]


@pytest.mark.parametrize("kind", SAMPLES)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_whatever_the_market_does_no_order_breaks_a_promise(kind: str, data: st.DataObject) -> None:
    parameters = dict(data.draw(st.sampled_from(SAMPLES[kind])))
    parameters["order_size"] = str(data.draw(st.decimals("0.05", "3", places=2)))
    rehearse(kind, parameters, Random(data.draw(st.integers(0, 2**32))), steps=40)
