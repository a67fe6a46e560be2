"""Stream names as Aster spells them: `btcusdt@depth20@100ms`, `btcusdt@kline_1m`. Symbols are in lower case."""

from __future__ import annotations

import re

from engine.sim.aster.public import INTERVALS_NS
from engine.sim.subscriptions import StreamName

ACCOUNT = "account"
"""What the stream of a listenKey is called in here; no name on the wire can be that."""

_DEPTH = re.compile(r"depth(5|10|20)?(@100ms|@500ms)?")
_USUAL_WINDOW_MS = 250
_SIMPLE = {"bookTicker": "bookTicker", "aggTrade": "aggTrade", "trade": "aggTrade", "ticker": "ticker"}
_MARK = re.compile(r"markPrice(@1s)?")


def parse_stream(text: str) -> StreamName | None:
    """What a name asks for; None for one that is no stream here. Whether the symbol exists is not asked."""
    market, _, what = text.partition("@")
    symbol = market.upper()
    if what in _SIMPLE:
        return StreamName(text=text, kind=_SIMPLE[what], symbol=symbol)
    if _MARK.fullmatch(what):
        return StreamName(text=text, kind="markPrice", symbol=symbol)
    if what.startswith("kline_") and what[6:] in INTERVALS_NS:
        return StreamName(text=text, kind="kline", symbol=symbol, interval=what[6:])
    if found := _DEPTH.fullmatch(what):
        window_ms = int(found[2][1:-2]) if found[2] else _USUAL_WINDOW_MS
        return StreamName(text=text, kind="depth", symbol=symbol, window_ms=window_ms, levels=int(found[1] or 0))
    return None
