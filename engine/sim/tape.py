"""What a market remembers of its trades: the last ones, candles, and the day so far. All bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from engine.clock import NS_PER_S
from engine.sim.orders import Trade

MINUTE_NS = 60 * NS_PER_S
TRADES_KEPT = 2_000
SECONDS_KEPT = 900
MINUTES_KEPT = 24 * 60
"""Candles of a second for a quarter of an hour, of a minute for a day; longer ones are put together."""


@dataclass(slots=True)
class Candle:
    """Prices in ticks, volume in lots and in tick-lots."""

    start_ns: int
    open: int
    high: int
    low: int
    close: int
    lots: int = 0
    value: int = 0
    trades: int = 0

    def add(self, other: Candle) -> None:
        self.high, self.low, self.close = max(self.high, other.high), min(self.low, other.low), other.close
        self.lots, self.value, self.trades = (
            self.lots + other.lots,
            self.value + other.value,
            self.trades + other.trades,
        )


class Tape:
    """The trades of one market."""

    def __init__(self, start_ticks: int) -> None:
        self.last_ticks = start_ticks
        self.trades: deque[Trade] = deque(maxlen=TRADES_KEPT)
        self._seconds: deque[Candle] = deque(maxlen=SECONDS_KEPT)
        self._minutes: deque[Candle] = deque(maxlen=MINUTES_KEPT)

    def record(self, trade: Trade) -> None:
        self.last_ticks = trade.ticks
        self.trades.append(trade)
        _extend(self._seconds, _candle(trade, NS_PER_S))
        _extend(self._minutes, _candle(trade, MINUTE_NS))

    def candles(self, interval_ns: int, since_ns: int, until_ns: int) -> list[Candle]:
        """Candles that start within [since, until], oldest first; times without a trade have none."""
        found: deque[Candle] = deque()
        for candle in self._minutes if interval_ns >= MINUTE_NS else self._seconds:
            if since_ns - interval_ns < candle.start_ns <= until_ns:
                _extend(found, _floored(candle, interval_ns))
        return [candle for candle in found if since_ns <= candle.start_ns <= until_ns]

    def latest(self, interval_ns: int, now_ns: int) -> Candle | None:
        """The candle that is still running at `now_ns`, if anything traded in it."""
        start_ns = now_ns - now_ns % interval_ns
        running = self.candles(interval_ns, start_ns, now_ns)
        return running[-1] if running else None

    def day(self, now_ns: int, days: int = 1) -> Candle:
        """Everything that traded in the last 24 hours as one candle."""
        since_ns = now_ns - days * MINUTES_KEPT * MINUTE_NS
        recent: Iterable[Candle] = [candle for candle in self._minutes if candle.start_ns > since_ns]
        whole = Candle(since_ns, self.last_ticks, self.last_ticks, self.last_ticks, self.last_ticks)
        for number, candle in enumerate(recent):
            if number == 0:
                whole.open = whole.high = whole.low = candle.open
            whole.add(candle)
        return whole


def _candle(trade: Trade, interval_ns: int) -> Candle:
    price = trade.ticks
    start_ns = trade.at_ns - trade.at_ns % interval_ns
    return Candle(start_ns, price, price, price, price, trade.lots, price * trade.lots, 1)


def _floored(candle: Candle, interval_ns: int) -> Candle:
    start_ns = candle.start_ns - candle.start_ns % interval_ns
    return Candle(
        start_ns, candle.open, candle.high, candle.low, candle.close, candle.lots, candle.value, candle.trades
    )


def _extend(candles: deque[Candle], newest: Candle) -> None:
    if candles and candles[-1].start_ns == newest.start_ns:
        candles[-1].add(newest)
    else:
        candles.append(newest)
