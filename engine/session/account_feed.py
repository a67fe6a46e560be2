"""Whether own orders are heard: LegConnected when the private streams are subscribed, LegDisconnected when one is
gone. A private stream may be silent for hours, so it is judged by what it must mention: orders the venue took.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.clock import seconds_to_ns
from engine.model.events import Event, LegConnected, LegDisconnected
from engine.session.settings import SessionSettings
from engine.transport.world import World


class AccountFeed:
    """One leg's private streams, by name."""

    def __init__(
        self, world: World, names: set[str], deliver: Callable[[Event], None], settings: SessionSettings
    ) -> None:
        self._world = world
        self._names = names
        self._deliver = deliver
        self._settings = settings
        self._open: set[str] = set()
        self._heard_ns = 0
        self._echo_due_ns: int | None = None

    def connected(self, name: str) -> None:
        """No venue we speak acknowledges a subscription: connected and said is subscribed."""
        self._open.add(name)
        self.heard()
        if self._open == self._names:
            self._deliver(LegConnected(at_ns=self._world.now_ns(), leg=self._settings.leg))

    def disconnected(self, name: str, reason: str) -> None:
        was_whole = self._open == self._names
        self._open.discard(name)
        if was_whole:
            self._deliver(LegDisconnected(at_ns=self._world.now_ns(), leg=self._settings.leg, reason=reason))

    def heard(self) -> None:
        self._heard_ns, self._echo_due_ns = self._world.monotonic_ns(), None

    def order_taken(self, sent_ns: int) -> None:
        """The venue took an order sent at `sent_ns` (monotonic): it was mentioned since, or soon must be."""
        if self._heard_ns < sent_ns and self._echo_due_ns is None:
            self._echo_due_ns = sent_ns + seconds_to_ns(self._settings.echo_s)

    @property
    def complaint(self) -> str | None:
        """Why the stream counts as dead although its socket is open."""
        if self._echo_due_ns is None or self._world.monotonic_ns() < self._echo_due_ns:
            return None
        return f"an order was taken, and nothing was heard of it for {self._settings.echo_s:g} s"
