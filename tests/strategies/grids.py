"""Grids on the test bench: their usual parameters, and a bot that runs one."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from engine.model.instrument import Instrument, MarketKind
from engine.spec.types import BotSpec, StrategySpec
from engine.strategies.interface import LegView, View
from tests.trading.desk_bench import LEG, PERP, bot_spec

GRID_PARAMETERS: dict[str, Any] = {
    "levels": 5,
    "spacing": "arithmetic",
    "lower": "98",
    "upper": "102",
    "auto_range_pct": None,
    "reference_price": None,
    "order_size": "0.1",
    "capital": None,
    "post_only": True,
    "boundary_action": "hold",
    "boundary_tolerance_pct": "0",
}
"""Levels at 98, 99, 100, 101 and 102; ten lots each."""
PERP_GRID_PARAMETERS = {**GRID_PARAMETERS, "direction": "neutral"}

LIMITS = {"max_position", "max_orders_per_minute", "price_band_bps"}


def grid_spec(instrument: Instrument = PERP, **changes: Any) -> BotSpec:
    """A bot with a grid; `changes` go to its parameters or, by their names, to the limits and the stop policy."""
    outside = {name: changes.pop(name) for name in list(changes) if name in LIMITS | {"stop_policy"}}
    perp = instrument.kind is MarketKind.PERP
    parameters = {**(PERP_GRID_PARAMETERS if perp else GRID_PARAMETERS), **changes}
    strategy = StrategySpec(kind="perp_grid" if perp else "grid", parameters=parameters)
    return msgspec.structs.replace(bot_spec(instrument, **outside), strategy=strategy)


def view_at(bid: int, executed: Mapping[str, int]) -> View:
    """A perp market two ticks wide, and own fills by slot."""
    leg = LegView(
        instrument=PERP,
        bids=((bid, 1),),
        asks=((bid + 2, 1),),
        mark=None,
        position_lots=0,
        max_position_lots=None,
        base_change=Decimal(0),
        quote_change=Decimal(0),
        executed_lots=executed,
    )
    return View(now_ns=0, legs={LEG: leg})
