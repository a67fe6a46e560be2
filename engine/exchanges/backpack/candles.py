"""Backpack's klines as candles, for people who look at a market. Used by `venue`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from engine.clock import NS_PER_S
from engine.exchanges.backpack import wire_markets
from engine.exchanges.decimals import exact
from engine.exchanges.interface import Candle


def candles(klines: Iterable[wire_markets.Kline]) -> tuple[Candle, ...]:
    """Those in which something was traded."""
    return tuple(
        Candle(
            start_ns=int(datetime.fromisoformat(kline.start).replace(tzinfo=UTC).timestamp()) * NS_PER_S,
            open=exact(kline.open),
            high=exact(kline.high),
            low=exact(kline.low),
            close=exact(kline.close),
            volume=exact(kline.volume),
        )
        for kline in klines
        if kline.open is not None and kline.high is not None and kline.low is not None and kline.close is not None
    )
