"""Stream names as Backpack spells them: `depth.200ms.SOL_USDC_PERP`, `account.orderUpdate`.

Symbols may contain dots (`AAPL.US_USDC_PERP`), so names are taken apart from the front only.
"""

from __future__ import annotations

from engine.sim.backpack.public import INTERVALS_NS
from engine.sim.subscriptions import StreamName

DEPTH_WINDOWS_MS = {"200ms": 200, "600ms": 600, "1000ms": 1_000}
PRIVATE_KINDS = frozenset(
    {"account.orderUpdate", "account.positionUpdate", "account.balanceUpdate", "account.rfqUpdate"}
)
_MARKET_KINDS = frozenset({"bookTicker", "trade", "markPrice", "ticker", "openInterest"})


class UnknownStream(Exception):
    """A name that is no stream; carries the venue's error code and words."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def parse_stream(text: str) -> StreamName:
    """What a name asks for; UnknownStream when it is no stream. Whether the symbol exists is not asked."""
    kind, _, rest = text.partition(".")
    if kind == "account":
        return _private(text, rest)
    if kind == "liquidation" and not rest:
        return StreamName(text=text, kind=kind)
    if not rest:
        raise UnknownStream(4006, "Invalid stream")
    if kind in _MARKET_KINDS:
        return StreamName(text=text, kind=kind, symbol=rest)
    if kind == "depth":
        return _depth(text, rest)
    if kind == "kline":
        return _kline(text, rest)
    raise UnknownStream(4006, "Invalid stream")


def _private(text: str, rest: str) -> StreamName:
    name, _, symbol = rest.partition(".")
    kind = f"account.{name}"
    if kind not in PRIVATE_KINDS:
        raise UnknownStream(4006, "Invalid stream")
    return StreamName(text=text, kind=kind, symbol=symbol)


def _depth(text: str, rest: str) -> StreamName:
    window, _, symbol = rest.partition(".")
    if window in DEPTH_WINDOWS_MS and symbol:
        return StreamName(text=text, kind="depth", symbol=symbol, window_ms=DEPTH_WINDOWS_MS[window])
    if window.endswith("ms") and window[:-2].isdecimal():
        raise UnknownStream(4008, "Invalid depth window")
    return StreamName(text=text, kind="depth", symbol=rest)


def _kline(text: str, rest: str) -> StreamName:
    interval, _, symbol = rest.partition(".")
    if interval not in INTERVALS_NS or not symbol:
        raise UnknownStream(4006, "Invalid stream")
    return StreamName(text=text, kind="kline", symbol=symbol, interval=interval)
