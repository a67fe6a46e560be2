"""Market flow from a recording of another market, rescaled onto a simulated one.

A recording is text, one message a line: receive time in ns, a space, and the JSON of a `depth`, `bookTicker` or
`trade` stream or of a depth snapshot (the format of hftbacktest's Binance futures examples). Levels near the
middle become house quotes, trades become house takers; prices are rescaled so that the recording starts at the
market's price, and sizes so that values stay what they were. At its end it starts again.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path

import msgspec

from engine.errors import ConfigInvalid
from engine.model.order import OrderStatus, Side
from engine.model.value import Value
from engine.sim.exchange import Exchange
from engine.sim.flow import House
from engine.sim.ledger import GRAIN
from engine.sim.orders import Order
from engine.sim.venue_market import VenueMarket

NEAR = 0.01
"""Levels farther from the middle than this fraction are left out: that bounds the book."""
PAUSE_NS = 1_000_000_000
"""Between the end of the recording and its next start."""

DEPTH, BEST, TRADE = "depthUpdate", "bookTicker", "trade"

OpenLines = Callable[[], Iterable[str]]


Levels = tuple[tuple[str, str], ...]


class RecordedData(Value, frozen=True, kw_only=True):
    """The parts of the recorded messages that are used. `m`: the buyer was the maker."""

    e: str
    b: str | Levels = ""
    a: str | Levels = ""
    p: str = "0"
    q: str = "0"
    m: bool = False


class _Line(Value, frozen=True, kw_only=True):
    """A stream's message in `data`, or a snapshot's two sides."""

    data: RecordedData | None = None
    bids: Levels = ()
    asks: Levels = ()


_LINE = msgspec.json.Decoder(_Line)


def recorded_lines(path: Path) -> OpenLines:
    """The lines of a recording on disk, gzipped or plain; every call starts at the beginning."""
    if not path.is_file():
        raise ConfigInvalid(f"there is no recording at {path}", hint="leave `recording` out for generated flow")

    def lines() -> Iterator[str]:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as stream:
            yield from stream

    return lines


def parse_line(line: str) -> tuple[int, RecordedData]:
    """Time and message of one line; ConfigInvalid when it is not in the format."""
    at, _, text = line.partition(" ")
    try:
        received_ns, said = int(at), _LINE.decode(text)
    except (ValueError, msgspec.DecodeError) as error:
        raise _no_line(line) from error
    if said.data is not None:
        return received_ns, said.data
    if not said.bids or not said.asks:
        raise _no_line(line)
    return received_ns, RecordedData(e=DEPTH, b=said.bids, a=said.asks)


def _no_line(line: str) -> ConfigInvalid:
    return ConfigInvalid(f"not a recorded line: {line[:60]!r}", hint="expected `<ns> <json>`")


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
        for order in self._quotes.values():
            self._house.cancel(order, now_ns)
        self._quotes.clear()
        self._messages, self._first_ns, self._message = self._opened()
        self._started_ns = self._next_ns = now_ns + PAUSE_NS

    def _play(self, message: RecordedData, now_ns: int) -> None:
        if message.e == BEST:
            self._play_best(message)
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
