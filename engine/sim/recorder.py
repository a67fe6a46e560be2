"""The lines of a recording, from what a session hears of a market: for `botctl market record`. Pure.

Of the book the best levels are kept, as the venues' book machines show them; a level that leaves them counts as
gone and is told anew when it comes back. What `recording` says of the format holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from engine.clock import NS_PER_S
from engine.model.events import BookLost, BookUpdated, Event, Level, TradePrinted
from engine.model.instrument import Instrument
from engine.model.order import Side
from engine.sim.recording import BEST, DEPTH, GAP, TRADE, Levels

QUIET_NS = 60 * NS_PER_S
"""After so long without a line a book that stands still is told again: silence is no gap."""


class Recorder:
    """One market from its first whole book on, with how much of what was recorded."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._book: BookUpdated | None = None
        self._last_ns = 0
        self.books = 0
        self.trades = 0
        self.gaps = 0
        self.lost_because = "no book has come yet"
        """Why the book is not known now; empty while it is."""

    def lines(self, event: Event) -> Iterator[str]:
        """What an event adds to the recording."""
        if isinstance(event, BookUpdated):
            yield from self._book_lines(event)
        elif isinstance(event, TradePrinted) and event.lots:
            self.trades += 1
            price, size = self._level((event.ticks, event.lots))
            yield self._line(event.at_ns, TRADE, {"p": price, "q": size, "m": event.side is Side.SELL})
        elif isinstance(event, BookLost):
            yield from self._gap(event.at_ns, event.reason)

    def still(self, now_ns: int) -> Iterator[str]:
        """What is recorded when nothing has changed for long."""
        if self._book is not None and now_ns - self._last_ns >= QUIET_NS:
            yield from self._best(self._book, now_ns)

    def _gap(self, at_ns: int, why: str) -> Iterator[str]:
        """Before the first book there is nothing that could have a gap."""
        self.lost_because = why
        if self._book is not None:
            self._book = None
            self.gaps += 1
            yield self._line(at_ns, GAP, {"why": why})

    def _book_lines(self, book: BookUpdated) -> Iterator[str]:
        """The best prices go first: readers tell by them how far away a level is."""
        before, self._book, self.lost_because = self._book, book, ""
        old_bids, old_asks = (before.bids, before.asks) if before else ((), ())
        if before is None or (old_bids[:1], old_asks[:1]) != (book.bids[:1], book.asks[:1]):
            yield from self._best(book, book.at_ns)
        bids, asks = self._changes(old_bids, book.bids), self._changes(old_asks, book.asks)
        if bids or asks:
            self.books += 1
            yield self._line(book.at_ns, DEPTH, {"b": bids, "a": asks})

    def _best(self, book: BookUpdated, at_ns: int) -> Iterator[str]:
        if book.bids and book.asks:
            (bid, bid_size), (ask, ask_size) = self._level(book.bids[0]), self._level(book.asks[0])
            yield self._line(at_ns, BEST, {"b": bid, "B": bid_size, "a": ask, "A": ask_size})

    def _changes(self, old: tuple[Level, ...], new: tuple[Level, ...]) -> Levels:
        kept = dict(new)
        gone = [(ticks, 0) for ticks, _ in old if ticks not in kept]
        known = set(old)
        return tuple(self._level(level) for level in (*gone, *(level for level in new if level not in known)))

    def _level(self, level: Level) -> tuple[str, str]:
        ticks, lots = level
        return self._instrument.price_text(ticks), self._instrument.size_text(lots)

    def _line(self, at_ns: int, kind: str, said: Mapping[str, object]) -> str:
        self._last_ns = at_ns
        symbol = self._instrument.symbol
        message = {"stream": f"{symbol}@{kind}", "data": {"e": kind, "s": symbol, **said}}
        return f"{at_ns} {msgspec.json.encode(message).decode()}\n"
