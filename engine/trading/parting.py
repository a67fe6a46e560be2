"""What a bot leaves behind when it stops: the trading part of the stop procedure, as the declared policy wants it.

Own orders always go first. `keep` ends there. `flatten` then takes the position out of the market. `reduce` offers
it to the market instead, one quote at our side's best price that can only ever reduce, until nothing is left or
time is up; what is left then is kept.
"""

from __future__ import annotations

from engine.model.instrument import MarketKind
from engine.model.order import Side
from engine.model.target import InventoryTarget, LegTarget, Quote
from engine.spec.types import RiskSpec, StopPolicy
from engine.trading.exposure import reducible_lots
from engine.trading.leg import Leg
from engine.trading.orders import REDUCE_SLOT

NOTHING = LegTarget(reason="nothing should rest")


class Parting:
    """One stop on its way. `reduce_until_ns` is when reducing gives way to keeping."""

    def __init__(self, policy: StopPolicy, risk: RiskSpec, *, reduce_until_ns: int) -> None:
        self._policy, self._risk = policy, risk
        self._reduce_until_ns = reduce_until_ns

    def target(self, leg: Leg, now_ns: int) -> LegTarget:
        """What the leg should look like from here on. While fills may be missing, no position is touched."""
        if self._policy is StopPolicy.REDUCE and now_ns >= self._reduce_until_ns:
            self._policy = StopPolicy.KEEP
        if self._policy is StopPolicy.KEEP or leg.book_why_not or not leg.synced:
            return NOTHING
        return self._flattened() if self._policy is StopPolicy.FLATTEN else self._reduced(leg)

    def is_over(self, leg: Leg) -> bool:
        """Whether the position is as the policy wants it; that no order is left is for the machine to see."""
        flattens = self._policy is StopPolicy.FLATTEN and leg.may_flag
        return self._policy is StopPolicy.KEEP or abs(leg.held_lots) < leg.least_lots_of(reduce_only=flattens)

    def _flattened(self) -> LegTarget:
        slippage_bps = self._risk.price_band_bps / 2
        return LegTarget(inventory=InventoryTarget(lots=0, slippage_bps=slippage_bps, reduce_only=True))

    def _reduced(self, leg: Leg) -> LegTarget:
        """Nothing while other orders live: together they could be more than there is to reduce."""
        others = any(order.request.slot != REDUCE_SLOT for order in leg.orders.live)
        side = Side.SELL if leg.held_lots > 0 else Side.BUY
        own_side = leg.asks if side is Side.SELL else leg.bids
        lots = _reducible_lots(leg, side)
        if others or not own_side or lots < leg.least_lots:
            return NOTHING
        perp = leg.instrument.kind is MarketKind.PERP
        quote = Quote(slot=REDUCE_SLOT, side=side, ticks=own_side[0][0], lots=lots, reduce_only=perp)
        return LegTarget(quotes=(quote,), reason="reducing before the end")


def _reducible_lots(leg: Leg, side: Side) -> int:
    """All that own fills left, and never more than the venue's position: what is offered already included."""
    return min(abs(leg.held_lots), reducible_lots(leg, side) + leg.orders.open_lots(side))
