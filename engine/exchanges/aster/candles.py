"""Aster's klines as candles, for people who look at a market. Used by `venue`."""

from __future__ import annotations

import msgspec

from engine.clock import NS_PER_MS
from engine.exchanges.aster.apis import public_path
from engine.exchanges.aster.wire import Kline
from engine.exchanges.decimals import exact
from engine.exchanges.interface import Candle
from engine.exchanges.messages import HttpRequest
from engine.model.instrument import Instrument

MOST_ROWS = 1_000
_KLINES = msgspec.json.Decoder(tuple[Kline, ...])


def candles_request(instrument: Instrument, since_ns: int) -> HttpRequest:
    query = f"symbol={instrument.symbol}&interval=1m&startTime={since_ns // NS_PER_MS}&limit={MOST_ROWS}"
    return HttpRequest(method="GET", target=f"{public_path(instrument.kind, '/klines')}?{query}")


def decode_candles(body: bytes) -> tuple[Candle, ...]:
    """Those in which something was traded. Raises ValueError or a msgspec error for what makes no sense."""
    return tuple(candle for candle in map(_candle, _KLINES.decode(body)) if candle.volume)


def _candle(kline: Kline) -> Candle:
    return Candle(
        start_ns=kline.open_ms * NS_PER_MS,
        open=exact(kline.open),
        high=exact(kline.high),
        low=exact(kline.low),
        close=exact(kline.close),
        volume=exact(kline.volume),
    )
