"""Perp market making: layers around the mid, skewed by inventory, never beyond the position limit.

The skew is a fraction of the half spread, so even full inventory moves a side to the mid at most; a model that
knows inventory brings its own. Over the limit only the reducing side is quoted, reduce-only.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from engine.model.order import Side
from engine.model.target import LegTarget, Target
from engine.strategies.interface import LegView, View
from engine.strategies.ladder import skew_of
from engine.strategies.layers import LayerParameters, layered_quotes
from engine.strategies.pricing.funding import funding_tilt
from engine.strategies.pricing.glft import Bounds
from engine.strategies.pricing.shape import Inventory, cold_reason, shape_of


class Parameters(LayerParameters, frozen=True, kw_only=True):
    """Checked by schemas/strategies/perp_market_maker.schema.json, where every field is described."""

    inventory_skew: Decimal
    target_position: Decimal
    funding_skew: Decimal | None = None


class PerpMarketMaker:
    """One leg, both sides, perp."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.requote_threshold_ticks = parameters.requote_threshold_ticks
        self.requote_interval_ns = parameters.requote_interval_ns

    def target(self, view: View) -> Target:
        """Layers on both sides, as far as the position limit leaves room."""
        return {leg: self._leg_target(seen) for leg, seen in view.legs.items()}

    def _leg_target(self, seen: LegView) -> LegTarget:
        if not seen.bids or not seen.asks:
            return LegTarget(reason="a side of the book is empty")
        shape = shape_of(self.parameters, seen, self._inventory(seen))
        if shape is None:
            return LegTarget(reason=cold_reason(seen))
        quotes = [
            quote
            for side in Side
            for quote in layered_quotes(self.parameters, side, seen, _PositionRoom(side, seen), shape)
        ]
        return LegTarget(quotes=tuple(quotes))

    def _inventory(self, seen: LegView) -> Inventory:
        parameters, limit = self.parameters, seen.max_position_lots
        target_lots = seen.instrument.lots_within(parameters.target_position)
        order_lots = max(1, seen.instrument.lots_within(parameters.order_size))
        return Inventory(
            excess=(seen.position_lots - target_lots) / order_lots,
            bounds=None if limit is None else Bounds(least=-(limit // order_lots), most=limit // order_lots),
            lean=skew_of(seen.position_lots, target_lots, limit, parameters.inventory_skew),
            tilt=funding_tilt(seen.funding_rate, parameters.funding_skew),
        )


class _PositionRoom:
    """What the position limit leaves to one side; over the limit the reducing side works off the position."""

    def __init__(self, side: Side, seen: LegView) -> None:
        signed, limit = seen.position_lots * side.sign, seen.max_position_lots
        self.reduce_only = limit is not None and signed < -limit
        self._left_lots: int | None = None
        if limit is not None:
            self._left_lots = -signed if self.reduce_only else max(0, limit - signed)

    def fitting(self, ticks: int, lots: int) -> int:  # noqa: ARG002 - a position limit knows no price
        return lots if self._left_lots is None else min(lots, self._left_lots)

    def take(self, ticks: int, lots: int) -> None:  # noqa: ARG002 - as above
        if self._left_lots is not None:
            self._left_lots -= lots


def build(parameters: Mapping[str, Any]) -> PerpMarketMaker:
    """The strategy from an effective document's parameters."""
    made = msgspec.convert(parameters, Parameters, strict=False)
    if problem := made.problem():
        raise ValueError(problem)
    return PerpMarketMaker(made)
