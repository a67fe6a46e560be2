"""The mids of one market at the last whole seconds: what a volatility is measured from.

Time is what events say. The window is bounded and lives in memory only: after a restart it begins anew, because
what the market did meanwhile is not known, and whoever prices by it waits until it is warm.
"""

from __future__ import annotations

from collections import deque

from engine.clock import NS_PER_S

LONGEST_S = 600


class MidHistory:
    """A mid that nothing has replaced stands for every second until something does."""

    def __init__(self) -> None:
        self._mids: deque[int] = deque(maxlen=LONGEST_S + 1)
        self._seen: tuple[int, ...] | None = ()
        self._newest: int | None = None
        self._second = 0

    def saw(self, twice_mid: int | None, at_ns: int) -> None:
        """A book with both sides has this mid from now on; without one the last stays."""
        if twice_mid is None:
            return
        self._roll(at_ns // NS_PER_S)
        self._newest = twice_mid

    def until(self, now_ns: int) -> tuple[int, ...]:
        """Twice the mid at the end of every second that is over, oldest first."""
        self._roll(now_ns // NS_PER_S)
        if self._seen is None:
            self._seen = tuple(self._mids)
        return self._seen

    def _roll(self, second: int) -> None:
        over = second - self._second
        if over <= 0:
            return
        if self._newest is not None:
            self._mids.extend([self._newest] * min(over, LONGEST_S + 1))
            self._seen = None
        self._second = second
