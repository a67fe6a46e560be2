"""Candles of a minute, as GET /markets/klines tells them: for people, never for trading."""

from __future__ import annotations

from collections.abc import Iterable

from engine.clock import NS_PER_MS
from engine.exchanges.decimals import exact
from engine.exchanges.interface import Candle
from engine.exchanges.paradex.wire import Kline


def candles(rows: Iterable[Kline]) -> tuple[Candle, ...]:
    """Oldest first, whichever way the venue lists them; intervals without a trade left out."""
    found = (
        Candle(
            start_ns=start_ms * NS_PER_MS,
            open=exact(str(opened)),
            high=exact(str(highest)),
            low=exact(str(lowest)),
            close=exact(str(closed)),
            volume=exact(str(volume)),
        )
        for start_ms, opened, highest, lowest, closed, volume in rows
        if volume
    )
    return tuple(sorted(found, key=lambda candle: candle.start_ns))
