"""One side of a book in ticks and lots, without any venue's rule about when it may be trusted.

Book machines keep two. The best levels are asked for after every diff, so they are kept until one of them
changes.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable

from engine.model.events import Level


class LevelStore:
    """Absolute sizes by price, read best first.

    A snapshot that fills `capacity` has a *horizon*, its worst level: what lies beyond was never seen and may
    not be guessed from diffs, so it is left out, and a side that has come close to its horizon is exhausted.
    """

    __slots__ = ("_best", "_best_count", "_capacity", "_horizon", "_keys", "_lots", "_sign")

    def __init__(self, *, best_is_highest: bool, best_count: int, capacity: int) -> None:
        self._sign = 1 if best_is_highest else -1
        self._best_count = best_count
        self._capacity = capacity
        self._lots: dict[int, int] = {}
        self._keys: list[int] = []
        """Signed prices, ascending: the best is always the last one, where inserting is cheapest."""
        self._horizon: int | None = None
        self._best: tuple[Level, ...] | None = ()

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def is_exhausted(self) -> bool:
        """True when the best levels cannot all be known any more."""
        return self._horizon is not None and len(self._keys) < self._best_count

    def replace(self, levels: Iterable[Level]) -> None:
        """Forget everything and start from a snapshot."""
        self._lots = {ticks: lots for ticks, lots in levels if lots > 0}
        self._keys = sorted(self._sign * ticks for ticks in self._lots)
        self._horizon = self._best = None
        if len(self._keys) >= self._capacity:
            self._trim()

    def update(self, levels: Iterable[Level]) -> None:
        """Put new sizes; zero deletes."""
        for ticks, lots in levels:
            self._put(ticks, lots)
        if len(self._keys) > 2 * self._capacity:
            self._trim()

    def best(self) -> tuple[Level, ...]:
        """The best levels, best first."""
        if self._best is None:
            lots, sign = self._lots, self._sign
            self._best = tuple((sign * key, lots[sign * key]) for key in self._keys[: -self._best_count - 1 : -1])
        return self._best

    def _put(self, ticks: int, lots: int) -> None:
        key = self._sign * ticks
        if self._horizon is not None and key < self._horizon:
            return
        known = ticks in self._lots
        if lots > 0:
            self._lots[ticks] = lots
            if not known:
                insort(self._keys, key)
        elif known:
            del self._lots[ticks]
            del self._keys[bisect_left(self._keys, key)]
        best = self._best
        if best is not None and (len(best) < self._best_count or key >= self._sign * best[-1][0]):
            self._best = None

    def _trim(self) -> None:
        """Keep the best `capacity` levels; the worst of them is the horizon."""
        for key in self._keys[: -self._capacity]:
            del self._lots[self._sign * key]
        del self._keys[: -self._capacity]
        self._horizon = self._keys[0]
