"""The book without our own orders: what a strategy prices by.

A quote inside everybody else's spread is the best price there is. Priced by a mid that counts it, the other side
follows it, then it follows the other side, and a maker chases itself through an empty book.

Book and account stream do not arrive together. What ended is therefore taken out of the book for a moment longer,
and a level that is smaller than our orders on it does not show them yet. An order that is being amended may show at
either of its prices.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator

from engine.clock import NS_PER_S
from engine.model.events import Level
from engine.model.order import Side
from engine.trading.lifecycle import OwnOrder
from engine.trading.records import OrderState

LINGERS_NS = NS_PER_S
"""How much later than the account stream a book may tell of the same change."""
LINGERING_MOST = 1_000
SEEN = (OrderState.ACCEPTED, OrderState.CANCEL_PENDING)


class OwnLevels:
    """What of a leg's book is its own. `live` are its orders that are not certainly done."""

    def __init__(self) -> None:
        self._open: dict[int, dict[int, int]] = {}
        self._gone: deque[tuple[int, Side, int, int]] = deque(maxlen=LINGERING_MOST)
        self._best: tuple[int | None, int | None] | None = None
        self._others: dict[Side, tuple[tuple[Level, ...], tuple[Level, ...]]] = {}
        """By side: levels, and what they are without us. It is asked for several times while nothing changes."""

    def changed(self, order: OwnOrder) -> None:
        """Call after every piece of news about an own order."""
        self._best = None
        self._others.clear()
        request, now = order.request, order.lots_by_ticks
        before = self._open.pop(request.client_id, {request.ticks: request.lots})
        if now:
            self._open[request.client_id] = now
        for ticks, lots in before.items():
            if lots > now.get(ticks, 0):
                self._gone.append((order.updated_ns, request.side, ticks, lots - now.get(ticks, 0)))

    def others(
        self, side: Side, levels: tuple[Level, ...], live: Iterable[OwnOrder], now_ns: int
    ) -> tuple[Level, ...]:
        """The levels of a side, best first, as they would be without us."""
        while self._gone and self._gone[0][0] + LINGERS_NS < now_ns:
            self._gone.popleft()
            self._others.clear()
        known = self._others.get(side)
        if known is None or known[0] is not levels:
            known = self._others[side] = levels, self._reckon(side, levels, live)
        return known[1]

    def _reckon(self, side: Side, levels: tuple[Level, ...], live: Iterable[OwnOrder]) -> tuple[Level, ...]:
        resting, gone = defaultdict[int, int](int), defaultdict[int, int](int)
        for order in live:
            if order.request.side is not side:
                continue
            if order.amended is not None:
                _add(gone, order.lots_by_ticks)
            elif order.state in SEEN:
                _add(resting, order.lots_by_ticks)
        for _, its_side, ticks, lots in self._gone:
            if its_side is side:
                gone[ticks] += lots
        return tuple(_without(levels, resting, gone)) if resting or gone else levels

    def at_touch(self, bid_ticks: int, ask_ticks: int, live: Iterable[OwnOrder]) -> tuple[bool, bool]:
        """Whether an own bid and an own ask rest at these best prices of the book, or before them already."""
        if self._best is None:
            self._best = _best_resting(live)
        bid, ask = self._best
        return bid is not None and bid >= bid_ticks, ask is not None and ask <= ask_ticks


def _best_resting(live: Iterable[OwnOrder]) -> tuple[int | None, int | None]:
    resting = [order.request for order in live if order.state in SEEN and order.amended is None]
    bids = (request.ticks for request in resting if request.side is Side.BUY)
    asks = (request.ticks for request in resting if request.side is Side.SELL)
    return max(bids, default=None), min(asks, default=None)


def _add(sums: dict[int, int], lots_by_ticks: dict[int, int]) -> None:
    for ticks, lots in lots_by_ticks.items():
        sums[ticks] += lots


def _without(levels: tuple[Level, ...], resting: dict[int, int], gone: dict[int, int]) -> Iterator[Level]:
    for ticks, lots in levels:
        ours, lingering = resting.get(ticks, 0), gone.get(ticks, 0)
        if lots > ours + lingering:
            yield ticks, lots - ours - lingering
        elif lots < ours:
            yield ticks, lots
