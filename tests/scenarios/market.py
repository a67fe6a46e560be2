"""A market in which only happens what a scenario says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from engine.clock import NS_PER_S
from engine.model.order import Side, TimeInForce
from engine.sim.exchange import Exchange
from engine.sim.flow import House
from engine.sim.network import START_NS
from engine.sim.orders import Order
from engine.sim.venue_market import VenueMarket
from tests.scenarios.scenario import ByHand, Line

NEVER_NS = 1 << 62


class ScriptedFlow:
    """The lines of one market, each carried out at its time. `by_hand` is told of the owner's own orders."""

    def __init__(
        self, exchange: Exchange, at: VenueMarket, lines: Sequence[Line], by_hand: Callable[[Order], None]
    ) -> None:
        self._exchange, self._at, self._by_hand = exchange, at, by_hand
        self._house = House(exchange, at)
        self._left = sorted(lines, key=lambda line: line.at_s)
        self._quotes: list[Order] = []

    @property
    def next_ns(self) -> int:
        return START_NS + round(self._left[0].at_s * NS_PER_S) if self._left else NEVER_NS

    def step(self, now_ns: int) -> None:
        while self.next_ns <= now_ns:
            self._do(self._left.pop(0), now_ns)

    def _do(self, line: Line, now_ns: int) -> None:
        instrument = self._at.market.instrument
        if line.bid is not None and line.ask is not None:
            self._move(line.bid, line.ask, line.size, now_ns)
        for side, size in ((Side.BUY, line.buy), (Side.SELL, line.sell)):
            if size is not None:
                limit = line.limit if line.limit is not None else self._far(side)
                self._house.take(side, instrument.ticks_below(limit), instrument.lots_within(size), now_ns)
        if line.by_hand is not None:
            self._rest_by_hand(line.by_hand, now_ns)

    def _move(self, bid: Decimal, ask: Decimal, size: Decimal, now_ns: int) -> None:
        """The house quotes elsewhere; whoever stands in the way is traded with."""
        instrument = self._at.market.instrument
        for quote in self._quotes:
            self._house.cancel(quote, now_ns)
        self._at.mark = self._at.index = (bid + ask) / 2
        self._at.tape.last_ticks = instrument.ticks_below(self._at.mark)
        lots = instrument.lots_within(size)
        prices = ((Side.BUY, bid), (Side.SELL, ask))
        quotes = [self._house.quote(side, instrument.ticks_below(price), lots, now_ns) for side, price in prices]
        self._quotes = [quote for quote in quotes if quote is not None]

    def _far(self, side: Side) -> Decimal:
        return self._at.mark * (1 + side.sign * Decimal("0.03"))

    def _rest_by_hand(self, hand: ByHand, now_ns: int) -> None:
        instrument = self._at.market.instrument
        order = Order(
            order_id=self._exchange.next_order_id(),
            owner=hand.account,
            symbol=self._at.market.symbol,
            side=hand.side,
            ticks=instrument.ticks_below(hand.price),
            lots=instrument.lots_within(hand.size),
            placed_ns=now_ns,
            time_in_force=TimeInForce.GTC,
        )
        self._by_hand(order)
        self._exchange.place(order)
