"""From a bot's parameters and what it sees to the shape of its quotes, for both market makers.

Everything is in bps of the mid, so that parameters mean the same on every market, and inventory is counted in
orders. Whatever a formula says, the spread keeps its bounds and the lean stays within half of it: no side is ever
quoted beyond the mid.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from math import sqrt

from engine.model.value import Value
from engine.strategies.interface import LegView
from engine.strategies.ladder import UNIT
from engine.strategies.pricing.avellaneda_stoikov import Offsets, Taste, offsets
from engine.strategies.pricing.glft import Bounds, Flow, asymptotic, closed_form
from engine.strategies.pricing.volatility import WARM_S, volatility_bps

WIDEST_BPS = 5_000.0
WIDEST_BOUNDS = 200
"""Over more orders of inventory the closed form is as good as the exact one, and cheaper."""
_DIGITS = 6
"""Of a spread in bps: what `UNIT` can tell apart."""


class Pricing(StrEnum):
    """Where the spread and the lean come from."""

    FIXED = "fixed"
    VOLATILITY = "volatility"
    AVELLANEDA_STOIKOV = "avellaneda_stoikov"
    GLFT = "glft"


class PricingParameters(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How both market makers price; what each pricing needs stands in schemas/common.schema.json.

    All may be absent: a generation written before they existed has none.
    """

    spread_bps: Decimal
    order_size: Decimal
    pricing: Pricing | None = None
    risk_aversion: float | None = None
    order_book_liquidity: float | None = None
    arrival_rate: float | None = None
    horizon_s: float | None = None
    volatility_multiple: float | None = None
    volatility_window_s: int | None = None
    volatility_half_life_s: float | None = None

    def problem(self) -> str | None:
        """What the pricing lacks; None when it can be done."""
        missing = [name for name in NEEDS[self.pricing or Pricing.FIXED] if getattr(self, name) is None]
        return f"pricing {self.pricing} needs {' and '.join(missing)}" if missing else None


NEEDS: dict[Pricing, tuple[str, ...]] = {
    Pricing.FIXED: (),
    Pricing.VOLATILITY: ("volatility_multiple", "horizon_s"),
    Pricing.AVELLANEDA_STOIKOV: ("risk_aversion", "order_book_liquidity", "horizon_s"),
    Pricing.GLFT: ("risk_aversion", "order_book_liquidity", "arrival_rate"),
}


class Inventory(Value, frozen=True, kw_only=True):
    """How far a leg is from where it wants to be: `excess` in orders, signed, and the `bounds` that its limit or
    its capital sets to that; None where nothing does.

    `lean` is how far a strategy's own rule moves the quotes, in parts of UNIT of half the spread, where the pricing
    knows nothing of inventory; `tilt` is moved on top of any pricing.
    """

    excess: float
    bounds: Bounds | None = None
    lean: int = 0
    tilt: int = 0


class Shape(Value, frozen=True, kw_only=True):
    """What a ladder needs: the width of the first layer, and how far it leans (UNIT: by half of that)."""

    spread_bps: Decimal
    skew: int


def shape_of(parameters: PricingParameters, seen: LegView, inventory: Inventory) -> Shape | None:
    """The shape of the quotes now; None while the market has not been watched for long enough."""
    pricing = parameters.pricing or Pricing.FIXED
    if pricing is Pricing.FIXED:
        return Shape(spread_bps=parameters.spread_bps, skew=_bounded(inventory.lean + inventory.tilt))
    window_s, half_life_s = parameters.volatility_window_s, parameters.volatility_half_life_s
    volatility = volatility_bps(seen.recent_mids, window_s, half_life_s)
    if volatility is None:
        return None
    if pricing is Pricing.VOLATILITY:
        assert parameters.volatility_multiple is not None and parameters.horizon_s is not None
        spread = parameters.volatility_multiple * volatility * sqrt(parameters.horizon_s)
        return Shape(spread_bps=_within(parameters, spread), skew=_bounded(inventory.lean + inventory.tilt))
    return _leaning(parameters, _modelled(parameters, pricing, volatility, inventory), inventory.tilt)


def cold_reason(seen: LegView) -> str:
    """Why nothing is quoted when there is no shape."""
    return f"measuring volatility: {len(seen.recent_mids)} of {WARM_S + 1} seconds seen"


def _modelled(parameters: PricingParameters, pricing: Pricing, volatility: float, inventory: Inventory) -> Offsets:
    assert parameters.risk_aversion is not None and parameters.order_book_liquidity is not None
    taste = Taste(risk_aversion=parameters.risk_aversion, liquidity=parameters.order_book_liquidity)
    if pricing is Pricing.AVELLANEDA_STOIKOV:
        assert parameters.horizon_s is not None
        left_s = parameters.horizon_s
        return offsets(taste, volatility=volatility, left_s=left_s, inventory=inventory.excess)
    assert parameters.arrival_rate is not None
    flow = Flow(volatility=volatility, arrival_rate=parameters.arrival_rate)
    bounds = inventory.bounds
    if bounds is None or not 0 < bounds.most - bounds.least <= WIDEST_BOUNDS:
        return closed_form(taste, flow, inventory.excess)
    return asymptotic(taste, flow, inventory.excess, bounds)


def _leaning(parameters: PricingParameters, wanted: Offsets, tilt: int) -> Shape:
    """The lean is what a model says, in price; it is what is left of it once the spread has its bounds."""
    spread_bps = _within(parameters, wanted.bid + wanted.ask)
    lean = (wanted.bid - wanted.ask) / float(spread_bps)
    return Shape(spread_bps=spread_bps, skew=_bounded(round(max(-1.0, min(1.0, lean)) * UNIT) + tilt))


def _within(parameters: PricingParameters, spread: float) -> Decimal:
    """Never narrower than `spread_bps`, never absurdly wide; on a number that is the same everywhere."""
    return max(parameters.spread_bps, round(Decimal(min(WIDEST_BPS, spread)), _DIGITS))


def _bounded(skew: int) -> int:
    return max(-UNIT, min(UNIT, skew))
