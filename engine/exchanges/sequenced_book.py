"""A book made of a snapshot and the numbered diffs after it, for venues that tell how their diffs chain.

Every diff leads from one state of the book to a later one, `last_id`. Subscribe and buffer, take a snapshot of
state L, drop diffs up to L, start with the one that leads from at most L past it, and from then on every diff
must begin exactly where the last one ended. There is no checksum, so a crossed book is a lost one too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from engine.exchanges.depth import LevelStore
from engine.model.events import BookLost, BookUpdated, DepthChanged, DepthSnapshot

BEST_LEVELS = 10
SNAPSHOT_LEVELS = 1_000
"""The deepest snapshot the venues give."""
BUFFERED_DIFFS = 4_096
"""More than come while a snapshot is on its way; older ones fall out, and a snapshot must then be newer."""

Before = Callable[[DepthChanged], int]
"""The id of the state a diff begins at: the venue's rule. One that has none begins after its own end."""


def before_first_id(event: DepthChanged) -> int:
    """Where diffs number their changes without a gap."""
    return event.first_id - 1


class SequencedBook:
    """See `engine.exchanges.interface.BookMachine`."""

    def __init__(self, leg: str, before: Before) -> None:
        self._leg = leg
        self._before = before
        self._bids = LevelStore(best_is_highest=True, best_count=BEST_LEVELS, capacity=SNAPSHOT_LEVELS)
        self._asks = LevelStore(best_is_highest=False, best_count=BEST_LEVELS, capacity=SNAPSHOT_LEVELS)
        self._buffer: deque[DepthChanged] = deque(maxlen=BUFFERED_DIFFS)
        self._last_id: int | None = None
        self._is_joined = False
        """False between the snapshot and the first diff after it: REST can be ahead of the socket."""

    @property
    def wants_snapshot(self) -> bool:
        return self._last_id is None

    def changed(self, event: DepthChanged) -> BookUpdated | BookLost | None:
        """Apply a diff to a whole book, or keep it for the snapshot to come."""
        if self._last_id is None:
            self._keep(event)
            return None
        if not self._is_joined and event.last_id <= self._last_id:
            return None
        if not self._follows(event, self._last_id):
            return self._lose(
                event, f"diff {self._before(event)} to {event.last_id} does not follow {self._last_id}"
            )
        self._apply(event)
        return self._show(event)

    def snapshot(self, event: DepthSnapshot) -> BookUpdated | BookLost | None:
        """Start from a snapshot unless the book is whole already, or the snapshot ends before the diffs begin."""
        newer = [diff for diff in self._buffer if diff.last_id > event.last_id]
        if self._last_id is not None or (newer and self._before(newer[0]) > event.last_id):
            return None
        self.reset()
        self._bids.replace(event.bids)
        self._asks.replace(event.asks)
        self._last_id = event.last_id
        for diff in newer:
            self._apply(diff)
        return self._show(event)

    def reset(self) -> None:
        """Forget everything: the socket is gone."""
        self._buffer.clear()
        self._last_id = None
        self._is_joined = False

    def _keep(self, event: DepthChanged) -> None:
        """The buffer never has a gap: what comes before one is of no use to any snapshot."""
        before = self._before(event)
        if self._buffer and before != self._buffer[-1].last_id:
            self._buffer.clear()
        if before < event.last_id:
            self._buffer.append(event)

    def _follows(self, event: DepthChanged, last_id: int) -> bool:
        before = self._before(event)
        begins_well = before == last_id if self._is_joined else before <= last_id
        return begins_well and last_id < event.last_id

    def _apply(self, event: DepthChanged) -> None:
        self._bids.update(event.bids)
        self._asks.update(event.asks)
        self._last_id = event.last_id
        self._is_joined = True

    def _show(self, event: DepthChanged | DepthSnapshot) -> BookUpdated | BookLost:
        bids, asks = self._bids.best(), self._asks.best()
        if bids and asks and bids[0][0] >= asks[0][0]:
            return self._lose(event, f"the book is crossed: bid {bids[0][0]}, ask {asks[0][0]} ticks")
        if self._bids.is_exhausted or self._asks.is_exhausted:
            return self._lose(event, "the market has moved past the levels of the snapshot")
        return BookUpdated(at_ns=event.at_ns, leg=self._leg, bids=bids, asks=asks)

    def _lose(self, event: DepthChanged | DepthSnapshot, reason: str) -> BookLost:
        self.reset()
        if isinstance(event, DepthChanged):
            self._keep(event)
        return BookLost(at_ns=event.at_ns, leg=self._leg, reason=reason)
