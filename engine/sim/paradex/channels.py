"""Names of Paradex's WebSocket channels."""

from __future__ import annotations

import re

from engine.model.value import Value
from engine.sim.paradex.errors import INVALID_PARAMETERS, RpcRefusal

PRIVATE = frozenset({"orders", "fills", "positions", "account", "balance_events", "funding_payments", "transfers"})
_WHOLE = frozenset({"positions", "account", "balance_events", "transfers", "markets_summary", "funding_data"})
_BY_MARKET = frozenset({"orders", "fills", "bbo", "trades", "markets_summary", "funding_data", "funding_payments"})
_BOOK = re.compile(r"order_book\.([^.@]+)\.(snapshot|deltas|interactive)@15@(50|100)ms(?:@[0-9._]+)?")


class Channel(Value, frozen=True, kw_only=True):
    """`market` is empty for all markets; a book channel has a feed and a width."""

    text: str
    kind: str
    market: str = ""
    feed: str = ""
    window_ms: int = 0

    @property
    def is_private(self) -> bool:
        return self.kind in PRIVATE


def parse_channel(text: str) -> Channel:
    """RpcRefusal for a channel that does not exist."""
    if found := _BOOK.fullmatch(text):
        return Channel(text=text, kind="order_book", market=found[1], feed=found[2], window_ms=int(found[3]))
    kind, dot, market = text.partition(".")
    if (not dot and kind in _WHOLE) or (market and kind in _BY_MARKET):
        return Channel(text=text, kind=kind, market="" if market == "ALL" else market)
    raise RpcRefusal(INVALID_PARAMETERS, f"invalid channel {text}")
