"""Market flow from a recording of another market, rescaled onto a simulated one.

Levels near the middle become house quotes, trades become house takers; prices are rescaled so that the recording
starts at the market's price, and sizes so that values stay what they were. At its end it starts again.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from engine.errors import ConfigInvalid
from engine.model.order import OrderStatus, Side
from engine.sim.exchange import Exchange
from engine.sim.flow import House
from engine.sim.ledger import GRAIN
from engine.sim.orders import Order
from engine.sim.recording import BEST, DEPTH, GAP, TRADE, Levels, OpenLines, RecordedData, parse_line
from engine.sim.venue_market import VenueMarket

NEAR = 0.01
"""Levels farther from the middle than this fraction are left out: that bounds the book."""
PAUSE_NS = 1_000_000_000
"""Between the end of the recording and its next start."""


class RecordedFlow:
    """Plays a recording on one market."""

    def __init__(
        self, exchange: Exchange, at: VenueMarket, open_lines: OpenLines, speed: float, now_ns: int
    ) -> None:
        self._at = at
        self._house = House(exchange, at)
        self._open_lines = open_lines
        self._speed = speed
        self._quotes: dict[tuple[Side, int], Order] = {}
        self._scale: float | None = None
        self._mid = 0.0
        self._started_ns = self._next_ns = now_ns
        self._messages, self._first_ns, self._message = self._opened()

    @property
    def next_ns(self) -> int:
        return self._next_ns

    def step(self, now_ns: int) -> None:
        self._play(self._message, now_ns)
        following = next(self._messages, None)
        if following is None:
            self._start_again(now_ns)
            return
        recorded_ns, self._message = following
        elapsed_ns = round((recorded_ns - self._first_ns) / self._speed)
        self._next_ns = max(now_ns, self._started_ns + elapsed_ns)

    def _opened(self) -> tuple[Iterator[tuple[int, RecordedData]], int, RecordedData]:
        messages = map(parse_line, self._open_lines())
        first = next(messages, None)
        if first is None:
            raise ConfigInvalid("the recording is empty")
        return messages, *first

    def _start_again(self, now_ns: int) -> None:
        self._clear(now_ns)
        self._messages, self._first_ns, self._message = self._opened()
        self._started_ns = self._next_ns = now_ns + PAUSE_NS

    def _clear(self, now_ns: int) -> None:
        """Of a book with a gap nothing is known, so nothing of it rests."""
        for order in self._quotes.values():
            self._house.cancel(order, now_ns)
        self._quotes.clear()

    def _play(self, message: RecordedData, now_ns: int) -> None:
        if message.e == BEST:
            self._play_best(message)
        elif message.e == GAP:
            self._clear(now_ns)
        elif self._scale is not None and message.e == DEPTH:
            self._play_levels(Side.BUY, message.b, now_ns)
            self._play_levels(Side.SELL, message.a, now_ns)
        elif self._scale is not None and message.e == TRADE:
            self._play_trade(message, now_ns)

    def _play_best(self, message: RecordedData) -> None:
        if not (isinstance(message.b, str) and isinstance(message.a, str)):
            return
        self._mid = (float(message.b) + float(message.a)) / 2
        tick_size = self._at.market.instrument.tick_size
        if self._scale is None:
            self._scale = float(self._at.market.start_price / tick_size) / self._mid
        self._at.index = self._at.mark = (Decimal(self._mid * self._scale) * tick_size).quantize(GRAIN)

    def _play_levels(self, side: Side, levels: str | Levels, now_ns: int) -> None:
        for price, size in levels if isinstance(levels, tuple) else ():
            if abs(float(price) / self._mid - 1) < NEAR:
                self._set_level(side, self._ticks(price), self._lots(price, size), now_ns)
        far = [key for key, order in self._quotes.items() if not self._is_near(order)]
        for key in far:
            self._house.cancel(self._quotes.pop(key), now_ns)

    def _set_level(self, side: Side, ticks: int, lots: int, now_ns: int) -> None:
        old = self._quotes.pop((side, ticks), None)
        if old is not None:
            self._house.cancel(old, now_ns)
        new = self._house.quote(side, ticks, lots, now_ns)
        if new is not None:
            self._quotes[side, ticks] = new

    def _is_near(self, order: Order) -> bool:
        near = abs(order.ticks / (self._mid * (self._scale or 1)) - 1) < NEAR
        return near and order.status is OrderStatus.RESTING

    def _play_trade(self, message: RecordedData, now_ns: int) -> None:
        side = Side.SELL if message.m else Side.BUY
        self._house.take(side, self._ticks(message.p), self._lots(message.p, message.q), now_ns)

    def _ticks(self, price: str) -> int:
        return round(float(price) * (self._scale or 1))

    def _lots(self, price: str, size: str) -> int:
        """As many lots as are worth what the recorded size was worth."""
        worth = float(price) * float(size)
        ticks = max(1, self._ticks(price))
        return round(worth / (ticks * float(self._at.market.unit)))
