"""A simulated venue that is far away: every message reaches it a fixed time after it was sent."""

from __future__ import annotations

from collections import deque

from engine.sim.machine import Inbound, Outbound, VenueMachine


class DistantMachine:
    """A VenueMachine in front of another one; keeps the order of messages."""

    def __init__(self, machine: VenueMachine, latency_ns: int) -> None:
        self._machine = machine
        self._latency_ns = latency_ns
        self._travelling: deque[tuple[int, Inbound]] = deque()

    @property
    def next_wake_ns(self) -> int | None:
        arrival = self._travelling[0][0] if self._travelling else None
        due = [at for at in (arrival, self._machine.next_wake_ns) if at is not None]
        return min(due, default=None)

    def handle(self, message: Inbound, now_ns: int) -> list[Outbound]:
        self._travelling.append((now_ns + self._latency_ns, message))
        return self.wake(now_ns)

    def wake(self, now_ns: int) -> list[Outbound]:
        out: list[Outbound] = []
        while self._travelling and self._travelling[0][0] <= now_ns:
            arrival_ns, message = self._travelling.popleft()
            out += self._machine.handle(message, arrival_ns)
        return out + self._machine.wake(now_ns)
