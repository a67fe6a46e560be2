"""An asyncio loop whose clock jumps: when nothing is ready, it is at once as late as the next timer wants.

An hour of back-off costs nothing, and the same program with the same seeds takes the same path every time.
There are no file descriptors: what would be a socket is the virtual network.
"""

from __future__ import annotations

import asyncio
from typing import Any

from engine.clock import NS_PER_S


class NothingWillHappen(RuntimeError):
    """Everything waits and no timer runs: a deadlock, which a real loop would sit out for ever."""


class VirtualLoop(asyncio.base_events.BaseEventLoop):
    """`time()` starts at 0; `elapsed_ns` is the same instant as an exact integer."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed_ns = 0
        self._clock_resolution = 1e-9
        self._selector = _Jump(self)

    def time(self) -> float:
        return self.elapsed_ns / NS_PER_S

    def _process_events(self, _event_list: list[Any]) -> None:
        """There are no descriptors and so no events."""

    def _write_to_self(self) -> None:
        """Nobody else runs who could have to be woken."""


class _Jump:
    """Stands where the loop expects its selector: waiting is moving the clock."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout_s: float | None) -> list[Any]:
        if timeout_s is None:
            raise NothingWillHappen("every task waits, and nothing is due")
        if timeout_s > 0:
            self._loop.elapsed_ns += max(1, round(timeout_s * NS_PER_S))
        return []
