"""Lighter's candles: numbers, and one for every interval in which there was a trade."""

from __future__ import annotations

import msgspec

from engine.clock import NS_PER_MS
from engine.exchanges.decimals import exact
from engine.exchanges.interface import Candle
from engine.exchanges.lighter import wire
from engine.exchanges.messages import HttpRequest
from engine.model.instrument import Instrument

MOST_ROWS = 500
_MINUTE_NS = 60_000 * NS_PER_MS
_CANDLES = msgspec.json.Decoder(wire.Candles)


def candles_request(instrument: Instrument, since_ns: int) -> HttpRequest:
    """As many minutes as one answer holds. It must say where they end, which may be in the future."""
    since_ms, until_ms = (ns // NS_PER_MS for ns in (since_ns, since_ns + MOST_ROWS * _MINUTE_NS))
    query = f"market_id={instrument.venue_code}&resolution=1m&start_timestamp={since_ms}&end_timestamp={until_ms}"
    return HttpRequest(method="GET", target=f"/api/v1/candles?{query}&count_back={MOST_ROWS}")


def decode_candles(body: bytes) -> tuple[Candle, ...]:
    """Oldest first. Raises ValueError or a msgspec error for what makes no sense."""
    rows = sorted(_CANDLES.decode(body).c, key=lambda row: row.t)
    return tuple(_candle(row) for row in rows if row.v)


def _candle(row: wire.CandleView) -> Candle:
    opened, high, low, close, volume = (exact(str(number)) for number in (row.o, row.h, row.l, row.c, row.v))
    return Candle(start_ns=row.t * NS_PER_MS, open=opened, high=high, low=low, close=close, volume=volume)
