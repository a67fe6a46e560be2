"""The strategy as botctl's registry finds it: `build`, in the module that the entry point names."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from engine.model.order import Side
from engine.model.target import LegTarget, Quote, Target
from engine.model.value import Value
from engine.strategies.interface import LegView, View


class Parameters(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Checked by pegged.schema.json, where every field is described."""

    order_size: Decimal
    distance_ticks: int


class Pegged:
    requote_threshold_ticks = 1

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def target(self, view: View) -> Target:
        return {leg: self._leg_target(seen) for leg, seen in view.legs.items()}

    def _leg_target(self, seen: LegView) -> LegTarget:
        if not seen.bids or not seen.asks:
            return LegTarget(reason="a side of the book is empty")
        lots = seen.instrument.lots_within(self.parameters.order_size)
        best = {Side.BUY: seen.bids[0][0], Side.SELL: seen.asks[0][0]}
        quotes = (
            Quote(slot=f"{side}.0", side=side, ticks=ticks - side.sign * self.parameters.distance_ticks, lots=lots)
            for side, ticks in best.items()
            if seen.max_position_lots is None or seen.position_lots * side.sign + lots <= seen.max_position_lots
        )
        return LegTarget(quotes=tuple(quotes))


def build(parameters: Mapping[str, Any]) -> Pegged:
    return Pegged(msgspec.convert(parameters, Parameters, strict=False))
