"""A simulated venue with bad weather before it: a VenueMachine around any other one, so every venue has the same
faults. They are switched while it runs, by `POST /__sim__/faults` with some of the settings as JSON (`botctl sim
VENUE --faults drop=0.1` does it); `GET` tells them and `DELETE` goes back to what the fleet's files say.
"""

from __future__ import annotations

import heapq
from itertools import count
from random import Random

import msgspec

from engine.clock import NS_PER_MS
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.sim.frame_faults import FrameFaults
from engine.sim.machine import (
    HttpAnswered,
    HttpReceived,
    Inbound,
    Outbound,
    SocketClosed,
    SocketDropped,
    VenueMachine,
)
from engine.spec.types import FaultSpec

CONTROL_TARGET = "/__sim__/faults"
JSON = (("content-type", "application/json"),)
RATE_LIMITED = HttpResponse(status=429, headers=JSON, body=b'{"code":"TOO_MANY_REQUESTS","message":"rehearsed"}')
SERVER_ERROR = HttpResponse(status=503, headers=JSON, body=b'{"code":"SERVICE_UNAVAILABLE","message":"rehearsed"}')


class FaultyMachine:
    """Keeps the order of each socket's messages, whatever their latency; requests may overtake one another."""

    def __init__(self, machine: VenueMachine, faults: FaultSpec, *, seed: int) -> None:
        self.faults = faults
        self._at_start = faults
        self._machine = machine
        self._random = Random(f"faults/{seed}")
        self._frames = FrameFaults(self._chance)
        self._order = count()
        self._travelling: list[tuple[int, int, Inbound]] = []
        self._late: list[tuple[int, int, HttpAnswered]] = []
        self._last_arrival_ns: dict[int, int] = {}
        self._failing: set[int] = set()
        self._cut: set[int] = set()
        self._venue_ns = 0

    @property
    def next_wake_ns(self) -> int | None:
        due = [queue[0][0] for queue in (self._travelling, self._late) if queue]
        if (inner_ns := self._machine.next_wake_ns) is not None:
            due.append(inner_ns - self._skew_ns)
        return min(due, default=None)

    def handle(self, message: Inbound, now_ns: int) -> list[Outbound]:
        if isinstance(message, HttpReceived):
            if message.request.target == CONTROL_TARGET:
                return [HttpAnswered(request_id=message.request_id, response=self._control(message.request))]
            if self._chance(self.faults.rate_limited):
                return [HttpAnswered(request_id=message.request_id, response=RATE_LIMITED), *self.wake(now_ns)]
            if self._chance(self.faults.server_error):
                self._failing.add(message.request_id)
        heapq.heappush(self._travelling, (self._arrival_ns(message, now_ns), next(self._order), message))
        return self.wake(now_ns)

    def wake(self, now_ns: int) -> list[Outbound]:
        said: list[Outbound] = []
        while self._travelling and self._travelling[0][0] <= now_ns:
            arrival_ns, _, arrived = heapq.heappop(self._travelling)
            said += self._deliver(arrived, arrival_ns)
        said += self._machine.wake(self._venue_time(now_ns))
        out: list[Outbound] = []
        for message in said:  # It grows when a socket is cut, because the venue may say something to that.
            out += self._on_the_way(message, now_ns, said)
        while self._late and self._late[0][0] <= now_ns:
            out.append(heapq.heappop(self._late)[2])
        return out

    def _deliver(self, message: Inbound, arrival_ns: int) -> list[Outbound]:
        """Let the venue hear it, unless it comes from a socket that was cut."""
        if not isinstance(message, HttpReceived) and message.socket_id in self._cut:
            if isinstance(message, SocketClosed):
                self._cut.discard(message.socket_id)
            return []
        return self._machine.handle(message, self._venue_time(arrival_ns))

    def _on_the_way(self, message: Outbound, now_ns: int, said: list[Outbound]) -> list[Outbound]:
        """What becomes of one thing the venue said."""
        if isinstance(message, HttpAnswered):
            return self._answer(message, now_ns)
        if message.socket_id in self._cut:
            return []
        if isinstance(message, SocketDropped):
            return [message]
        heard = self._frames.pass_on(message, self.faults)
        if any(isinstance(frame, SocketDropped) for frame in heard):
            self._cut.add(message.socket_id)
            said += self._machine.handle(SocketClosed(socket_id=message.socket_id), self._venue_ns)
        return heard

    def _answer(self, message: HttpAnswered, now_ns: int) -> list[Outbound]:
        if message.request_id in self._failing:
            self._failing.discard(message.request_id)
            message = HttpAnswered(request_id=message.request_id, response=SERVER_ERROR)
        if not self._chance(self.faults.slow):
            return [message]
        due_ns = now_ns + self.faults.slow_ms * NS_PER_MS
        heapq.heappush(self._late, (due_ns, next(self._order), message))
        return []

    def _arrival_ns(self, message: Inbound, now_ns: int) -> int:
        jitter_ns = self._random.randint(0, self.faults.jitter_ms * NS_PER_MS) if self.faults.jitter_ms else 0
        arrival_ns = now_ns + self.faults.latency_ms * NS_PER_MS + jitter_ns
        if isinstance(message, HttpReceived):
            return arrival_ns
        arrival_ns = max(arrival_ns, self._last_arrival_ns.get(message.socket_id, 0))
        self._last_arrival_ns[message.socket_id] = arrival_ns
        if isinstance(message, SocketClosed):
            del self._last_arrival_ns[message.socket_id]
            self._frames.forget(message.socket_id)
        return arrival_ns

    @property
    def _skew_ns(self) -> int:
        return self.faults.clock_skew_ms * NS_PER_MS

    def _venue_time(self, now_ns: int) -> int:
        """The venue's clock never goes back: where it is put back, it stands until time has caught up."""
        self._venue_ns = max(self._venue_ns, now_ns + self._skew_ns)
        return self._venue_ns

    def _chance(self, share: float) -> bool:
        return share > 0 and self._random.random() < share

    def _control(self, request: HttpRequest) -> HttpResponse:
        """A browser cannot be tricked into this: a foreign page may not send JSON unasked."""
        try:
            if request.method == "DELETE":
                self.faults = self._at_start
            elif request.method == "POST":
                if not dict(request.headers).get("content-type", "").startswith("application/json"):
                    return _said(415, {"message": "content-type must be application/json"})
                changes = msgspec.json.decode(request.body, type=dict[str, msgspec.Raw])
                now = msgspec.json.decode(msgspec.json.encode(self.faults), type=dict[str, msgspec.Raw])
                self.faults = msgspec.json.decode(msgspec.json.encode({**now, **changes}), type=FaultSpec)
        except msgspec.MsgspecError as error:
            return _said(400, {"message": str(error)})
        return _said(200, self.faults)


def _said(status: int, words: object) -> HttpResponse:
    return HttpResponse(status=status, headers=JSON, body=msgspec.json.encode(words))
