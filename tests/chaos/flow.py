"""The market of a play, which comes to rest when the trouble is over."""

from __future__ import annotations

from collections.abc import Callable

from engine.clock import NS_PER_S
from engine.sim.flow import Flow


class FlowThatRests:
    """A market where nobody else does anything while the play is quiet."""

    def __init__(self, flow: Flow, is_quiet: Callable[[], bool]) -> None:
        self._flow, self._is_quiet = flow, is_quiet
        self._has_begun = False
        self.next_ns = flow.next_ns

    def step(self, now_ns: int) -> None:
        if self._is_quiet() and self._has_begun:
            self.next_ns = now_ns + NS_PER_S
        else:
            self._has_begun = True
            self._flow.step(now_ns)
            self.next_ns = max(self._flow.next_ns, now_ns)
