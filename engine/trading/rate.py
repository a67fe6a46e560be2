"""How many orders a leg has sent lately; as many are remembered as the guard's order rate lets out in a minute."""

from __future__ import annotations

from collections import deque

from engine.clock import NS_PER_S

MINUTE_NS = 60 * NS_PER_S


class SentOrders:
    """The instants of the last minute."""

    def __init__(self) -> None:
        self._sent_ns: deque[int] = deque()

    def count(self, now_ns: int) -> None:
        """One more has been sent."""
        self._sent_ns.append(now_ns)

    def last_minute(self, now_ns: int) -> int:
        while self._sent_ns and now_ns - self._sent_ns[0] > MINUTE_NS:
            self._sent_ns.popleft()
        return len(self._sent_ns)
