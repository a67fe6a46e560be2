"""What a simulated venue still has to do, and when: flow, delayed orders, once-a-second streams, funding."""

from __future__ import annotations

import heapq
from collections.abc import Callable

Task = Callable[[int], None]
"""Called with the instant it was due."""


class Schedule:
    """Tasks by due time; those due at the same instant run in the order in which they were added."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Task]] = []
        self._added = 0

    @property
    def next_ns(self) -> int | None:
        return self._heap[0][0] if self._heap else None

    def at(self, due_ns: int, task: Task) -> None:
        self._added += 1
        heapq.heappush(self._heap, (due_ns, self._added, task))

    def take_due(self, now_ns: int) -> tuple[int, Task] | None:
        """The next task that is due, removed; None when nothing is."""
        if not self._heap or self._heap[0][0] > now_ns:
            return None
        due_ns, _, task = heapq.heappop(self._heap)
        return due_ns, task
