"""The guard: the only place where an order request becomes an approved order.

Limits count what is held, what rests and what may rest (unresolved orders included), so that no sequence of
fills can carry a bot past them.
"""

from __future__ import annotations

from decimal import Decimal

from engine.model.instrument import Instrument
from engine.model.order import ApprovedOrder, OrderRequest, Side, TimeInForce
from engine.model.value import Value
from engine.spec.types import RiskSpec

BPS = 10_000
RESERVE = 10
"""One order in so many of the rate is kept for reducing and rebalancing: quotes must never use up the rate that
a flattening needs."""


class Room(Value, frozen=True, kw_only=True):
    """What is left to a bot of its share of one budget, in quote; None: no limit. `why_not`: that is unknown."""

    budget: str
    long_usd: Decimal | None = None
    short_usd: Decimal | None = None
    gross_usd: Decimal | None = None
    why_not: str = ""


class Exposure(Value, frozen=True, kw_only=True):
    """What a leg is in for, before the order under review.

    `long_most_lots` and `short_most_lots` are the worse of own and venue position for each direction; open
    lots count everything not certainly gone, without the order under review.
    """

    long_most_lots: int
    short_most_lots: int
    venue_position_lots: int | None
    open_buy_lots: int
    open_sell_lots: int
    open_notional: Decimal
    orders_last_minute: int
    twice_mid_ticks: int | None
    mark: Decimal | None
    adding_blocked: str
    """Why nothing may be added (unexplained position, unknown position); empty when it may."""
    rooms: tuple[Room, ...] = ()
    """Of budgets shared with other bots."""


class Denied(Value, frozen=True, kw_only=True):
    """An order that was never sent, and the limit that stopped it."""

    reason: str


class Guard:
    """Reviews orders of one leg against its limits."""

    def __init__(self, risk: RiskSpec, instrument: Instrument) -> None:
        self._risk, self._instrument = risk, instrument
        self._max_lots = None if risk.max_position is None else instrument.lots_within(risk.max_position)

    @property
    def max_position_lots(self) -> int | None:
        return self._max_lots

    @property
    def orders_per_minute(self) -> int:
        return self._risk.max_orders_per_minute

    @property
    def quotes_per_minute(self) -> int:
        """The part of the order rate that quotes may use."""
        return self._risk.max_orders_per_minute - self._risk.max_orders_per_minute // RESERVE

    def largest_lots(self, ticks: int) -> int | None:
        """The most lots one order may have at this price; None: no limit."""
        most = self._risk.max_order_notional_usd
        return None if most is None else int(most // self._instrument.notional(max(ticks, 1), 1))

    def review(self, request: OrderRequest, exposure: Exposure) -> ApprovedOrder | Denied:
        """The one door. The first limit that stands against an order names the refusal."""
        reason = (
            self._size(request)
            or self._rate(request, exposure)
            or self._price(request, exposure)
            or self._position(request, exposure)
            or self._money(request, exposure)
            or self._shared(request, exposure)
        )
        return Denied(reason=reason) if reason else ApprovedOrder(request=request)

    def _size(self, request: OrderRequest) -> str:
        least = self._instrument.min_lots(max(request.ticks, 1), reduces=request.reduce_only)
        if request.ticks < 1 or request.lots < least:
            return "below the venue's minimum size"
        return ""

    def _rate(self, request: OrderRequest, exposure: Exposure) -> str:
        takes = request.time_in_force is TimeInForce.IOC
        most = self._risk.max_orders_per_minute if takes else self.quotes_per_minute
        return "max_orders_per_minute" if exposure.orders_last_minute >= most else ""

    def _price(self, request: OrderRequest, exposure: Exposure) -> str:
        if exposure.twice_mid_ticks is None:
            return "no price to compare with"
        price = self._instrument.price(request.ticks)
        references = [self._instrument.price(exposure.twice_mid_ticks) / 2]
        if exposure.mark is not None:
            references.append(exposure.mark)
        for reference in references:
            if abs(price - reference) * BPS > self._risk.price_band_bps * reference:
                return "price_band_bps"
        return ""

    def _position(self, request: OrderRequest, exposure: Exposure) -> str:
        if request.reduce_only:
            return self._reduction(request, exposure)
        buying = request.side is Side.BUY
        held = exposure.long_most_lots if buying else -exposure.short_most_lots
        reached = held + (exposure.open_buy_lots if buying else exposure.open_sell_lots) + request.lots
        if reached > 0 and exposure.adding_blocked:
            return exposure.adding_blocked
        if self._max_lots is not None and reached > self._max_lots:
            return "max_position"
        return ""

    def _reduction(self, request: OrderRequest, exposure: Exposure) -> str:
        if exposure.venue_position_lots is None:
            return "the venue's position is unknown"
        reducible = -exposure.venue_position_lots * request.side.sign
        already = exposure.open_buy_lots if request.side is Side.BUY else exposure.open_sell_lots
        return "more than there is to reduce" if already + request.lots > reducible else ""

    def _money(self, request: OrderRequest, exposure: Exposure) -> str:
        if request.reduce_only:
            return ""
        notional = self._instrument.notional(request.ticks, request.lots)
        single, total = self._risk.max_order_notional_usd, self._risk.max_open_notional_usd
        if single is not None and notional > single:
            return "max_order_notional_usd"
        if total is not None and exposure.open_notional + notional > total:
            return "max_open_notional_usd"
        return ""

    def _shared(self, request: OrderRequest, exposure: Exposure) -> str:
        """What only reduces the own position always passes: it may turn another bot's net, never the gross."""
        long_lots = exposure.long_most_lots + exposure.open_buy_lots
        short_lots = exposure.open_sell_lots - exposure.short_most_lots
        buying = request.side is Side.BUY
        reached = (long_lots if buying else short_lots) + request.lots
        if request.reduce_only or reached <= 0:
            return ""
        worth = self._worth(request.lots, exposure)
        raised = self._worth(max(0, reached - max(long_lots, short_lots)), exposure)
        for room in exposure.rooms:
            net_usd = room.long_usd if buying else room.short_usd
            if room.why_not:
                return room.why_not
            if net_usd is not None and worth > net_usd:
                return f"max_net_exposure_usd of the {room.budget}"
            if room.gross_usd is not None and raised > room.gross_usd:
                return f"max_gross_exposure_usd of the {room.budget}"
        return ""

    def _worth(self, lots: int, exposure: Exposure) -> Decimal:
        """At the mid, without which no order gets this far."""
        return self._instrument.notional(exposure.twice_mid_ticks or 0, lots) / 2
