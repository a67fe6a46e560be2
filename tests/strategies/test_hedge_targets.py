"""Every case of the hedging maker: parameters and a view of two legs in, the target out, twice the same."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from engine.model.instrument import Instrument
from engine.spec.types import StrategySpec
from engine.strategies.interface import LegView, View
from engine.strategies.registry import build_strategy
from tests.trading.desk_bench import PERP, SPOT
from tests.trading.hedge_bench import PARAMETERS

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "hedge" / "targets.yaml").read_text())
FEES = {"maker_fee": Decimal("0.0002"), "taker_fee": Decimal("0.0004")}


def leg_view(lot_size: str, seen: dict[str, Any]) -> LegView:
    market: Instrument = SPOT if seen.get("kind") == "spot" else PERP
    instrument = replace(market, lot_size=Decimal(lot_size), min_size=Decimal(lot_size), **FEES)
    held = Decimal(str(seen.get("held", 0)))
    bid, ask = seen.get("bid", 9990), seen.get("ask", 10010)
    available = seen.get("available", {"USDC": 1000})
    return LegView(
        instrument=instrument,
        bids=((bid, 500),) if bid else (),
        asks=((ask, 500),) if ask else (),
        mark=None,
        position_lots=instrument.lots_within(held),
        max_position_lots=instrument.lots_within(Decimal(5)),
        base_change=held,
        quote_change=Decimal(0),
        executed_lots={},
        takes_left=seen.get("takes_left", 50),
        take_refused=seen.get("refused", ""),
        available=available and {asset: Decimal(free) for asset, free in available.items()},
    )


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_hedging_maker_wants_what_its_case_says(case: dict[str, Any]) -> None:
    strategy = build_strategy(
        StrategySpec(kind="maker_taker_hedge", parameters={**PARAMETERS, **case.get("parameters", {})})
    )
    seen = case["view"]
    legs = {"maker": leg_view("0.01", seen.get("maker", {})), "hedge": leg_view("0.1", seen.get("hedge", {}))}
    view = View(now_ns=0, legs=legs)
    target = strategy.target(view)
    maker, hedge = target["maker"], target["hedge"]
    assert {quote.slot: [quote.ticks, quote.lots] for quote in maker.quotes} == case.get("quotes", {})
    assert all(quote.post_only and not quote.reduce_only for quote in maker.quotes)
    assert hedge.inventory is not None and hedge.inventory.lots == case["hedge"]
    assert not hedge.inventory.reduce_only and hedge.quotes == ()
    assert not case.get("reason") or maker.reason == case["reason"]
    assert strategy.target(view) == target
