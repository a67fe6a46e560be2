"""The wire between simulated processes and simulated venues, in virtual time.

A venue and this network outlive the bots on them: a bot may crash, what it sent still arrives, the venue goes on,
and the next bot finds the venue as it is then. `world` is what one bot process sees of it.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count

from engine.clock import NS_PER_MS, NS_PER_S
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.sim.machine import (
    HttpAnswered,
    HttpReceived,
    Inbound,
    Outbound,
    SocketClosed,
    SocketOpened,
    SocketReceived,
    SocketSent,
    VenueMachine,
)
from engine.sim.trouble import CALM, Kind, Trouble, Weather
from engine.sim.virtual_loop import VirtualLoop

START_NS = 1_790_000_000 * NS_PER_S
"""When virtual worlds begin, so that timestamps look like timestamps."""


class VirtualNetwork:
    """Venues by host name, and messages on their way: latency is drawn per message and way, sockets keep order.

    A run of hours says how much of the transcripts it wants kept; None is all.
    """

    def __init__(
        self,
        loop: VirtualLoop,
        venues: Mapping[str, VenueMachine],
        *,
        seed: int,
        latency_ms: tuple[int, int] = (1, 5),
        weather: Weather = CALM,
        transcript_kept: int | None = None,
    ) -> None:
        self._loop = loop
        self._random = random.Random(f"network/{seed}")
        self._latency_ms = latency_ms
        self._weather = weather
        self._ids = count(1)
        self._hosts = {name: Host(self, machine, transcript_kept) for name, machine in venues.items()}
        for host in self._hosts.values():
            host.schedule()
        for trouble in weather.instants:
            self.later(trouble.at_ms * NS_PER_MS / NS_PER_S, partial(self._strike, trouble))

    @property
    def elapsed_ns(self) -> int:
        return self._loop.elapsed_ns

    def now_ns(self) -> int:
        return START_NS + self._loop.elapsed_ns

    def latency_s(self) -> float:
        least, most = self._latency_ms
        return self._random.randint(least * NS_PER_MS, most * NS_PER_MS) / NS_PER_S

    def hits(self, kind: Kind, message: str = "") -> bool:
        """Whether a message that passes now is hit by this kind of trouble."""
        return self._weather.hits(kind, self.elapsed_ns, message)

    def delay_s(self, kind: Kind, message: str) -> float:
        """How much longer than its latency a message takes that leaves now."""
        return self._weather.delay_s(kind, self.elapsed_ns, message)

    def later(self, delay_s: float, action: Callable[[], None]) -> None:
        self._loop.call_later(delay_s, action)

    def next_id(self) -> int:
        return next(self._ids)

    def host(self, url: str) -> Host | None:
        """The venue a URL points at; None when nothing listens there."""
        return self._hosts.get(url.split("/")[2])

    def transcript(self, host: str) -> list[tuple[int, Outbound]]:
        """Everything the venue ever said, and when: what two equal runs have in common."""
        return list(self._hosts[host].transcript)

    def _strike(self, trouble: Trouble) -> None:
        for host in self._hosts.values():
            host.deafen() if trouble.kind is Kind.DEAF else host.hang_up()


class Line:
    """One WebSocket connection as the network sees it. Messages of one direction arrive in the order sent."""

    def __init__(self, socket_id: int) -> None:
        self.socket_id = socket_id
        self.heard: Callable[[str], None] = lambda _text: None
        self.lost: Callable[[], None] = lambda: None
        self.to_venue, self.to_bot = Way(), Way()
        self.is_deaf = False
        """Open at both ends, and nothing comes through to the bot any more."""

    def hang_up(self) -> None:
        """Nobody listens at the bot's end any more."""
        self.heard, self.lost = lambda _text: None, lambda: None


class Way:
    """One direction of a line: a queue, because two messages that arrive at one instant have an order too."""

    def __init__(self) -> None:
        self._on_the_way: deque[Callable[[], None]] = deque()
        self._last_arrives_s = 0.0

    def send(self, network: VirtualNetwork, arrive: Callable[[], None], slow_s: float = 0.0) -> None:
        """Let a message arrive after its latency, or later, and not before the one sent before it."""
        now_s = network.elapsed_ns / NS_PER_S
        self._last_arrives_s = max(now_s + network.latency_s() + slow_s, self._last_arrives_s)
        self._on_the_way.append(arrive)
        network.later(self._last_arrives_s - now_s, lambda: self._on_the_way.popleft()())


class Host:
    """One venue at the far end of the wire."""

    def __init__(self, network: VirtualNetwork, machine: VenueMachine, transcript_kept: int | None) -> None:
        self.transcript: deque[tuple[int, Outbound]] = deque(maxlen=transcript_kept)
        self._network = network
        self._machine = machine
        self._answers: dict[int, tuple[str, Callable[[HttpResponse], None]]] = {}
        self._lines: dict[int, Line] = {}
        self._wake_ns: int | None = None

    def request(self, request: HttpRequest, answer: Callable[[HttpResponse], None]) -> None:
        """Put a request on the wire; `answer` is called when the response has come back, should it come."""
        network, words = self._network, f"{request.method} {request.target}"
        latency_s = network.latency_s() + network.delay_s(Kind.SLOW_REQUEST, words)
        if network.hits(Kind.LIMITED, words):
            network.later(2 * latency_s, lambda: answer(HttpResponse(status=429)))
        elif not network.hits(Kind.LOST_REQUEST, words) and not network.hits(Kind.PARTITION):
            request_id = network.next_id()
            self._answers[request_id] = words, answer
            message = HttpReceived(request_id=request_id, request=request)
            network.later(latency_s, lambda: self._take(message))

    def open(self, url: str, opened: Callable[[Line], None]) -> None:
        """Open a socket; `opened` is called when the venue has accepted and said so."""
        if self._network.hits(Kind.PARTITION):
            return
        line, target = Line(self._network.next_id()), "/" + "/".join(url.split("/")[3:])

        def accept() -> None:
            self._lines[line.socket_id] = line
            opened(line)
            self._take(SocketOpened(socket_id=line.socket_id, target=target))

        self._network.later(2 * self._network.latency_s(), accept)

    def send(self, line: Line, text: str) -> None:
        network = self._network
        if network.hits(Kind.PARTITION) or network.hits(Kind.LOST_WORDS, text):
            return
        slow_s = network.delay_s(Kind.SLOW_WORDS, text)
        line.to_venue.send(network, lambda: self._received(line, text), slow_s)

    def close(self, line: Line) -> None:
        """Close from the bot's side; the venue learns of it after what was sent before."""
        line.hang_up()
        line.to_venue.send(self._network, lambda: self._closed(line))

    def hang_up(self) -> None:
        """Close every socket at once; both ends learn of it."""
        for line in list(self._lines.values()):
            self._network.later(self._network.latency_s(), partial(self._closed, line))
            line.to_bot.send(self._network, partial(self._lose, line))

    def deafen(self) -> None:
        """Let nothing more through to the bots on the sockets that are open now."""
        for line in self._lines.values():
            line.is_deaf = True

    def schedule(self) -> None:
        """See to it that the machine is woken when it wants to be."""
        due_ns = self._machine.next_wake_ns
        if due_ns is None or due_ns == self._wake_ns:
            return
        self._wake_ns = due_ns
        self._network.later(max(0, due_ns - self._network.now_ns()) / NS_PER_S, lambda: self._wake(due_ns))

    def _wake(self, due_ns: int) -> None:
        if self._wake_ns == due_ns:
            self._wake_ns = None
            self._deliver(self._machine.wake(self._network.now_ns()))

    def _take(self, message: Inbound) -> None:
        self._deliver(self._machine.handle(message, self._network.now_ns()))

    def _received(self, line: Line, text: str) -> None:
        """What reaches a socket that the venue has closed meanwhile is lost."""
        if line.socket_id in self._lines:
            self._take(SocketReceived(socket_id=line.socket_id, text=text))

    def _closed(self, line: Line) -> None:
        if self._lines.pop(line.socket_id, None):
            self._take(SocketClosed(socket_id=line.socket_id))

    def _deliver(self, messages: list[Outbound]) -> None:
        for message in messages:
            self.transcript.append((self._network.elapsed_ns, message))
            self._send_back(message)
        self.schedule()

    def _send_back(self, message: Outbound) -> None:
        if isinstance(message, HttpAnswered):
            self._answer(*self._answers.pop(message.request_id), message.response)
            return
        line = self._lines.get(message.socket_id)
        if line is None:
            return
        if isinstance(message, SocketSent):
            self._tell(line, message.text)
        else:
            del self._lines[message.socket_id]
            line.to_bot.send(self._network, partial(self._lose, line))

    def _answer(self, words: str, answer: Callable[[HttpResponse], None], response: HttpResponse) -> None:
        network = self._network
        if network.hits(Kind.LOST_REPLY, words) or network.hits(Kind.PARTITION):
            return
        if network.hits(Kind.BUSY, words):
            response = HttpResponse(status=503)
        network.later(network.latency_s() + network.delay_s(Kind.SLOW_REPLY, words), lambda: answer(response))

    def _tell(self, line: Line, text: str) -> None:
        network = self._network
        if line.is_deaf or network.hits(Kind.LOST_FRAME, text) or network.hits(Kind.PARTITION):
            return
        for _ in range(2 if network.hits(Kind.TWICE_FRAME, text) else 1):
            late_s = network.delay_s(Kind.LATE_FRAME, text)
            if late_s:
                network.later(network.latency_s() + late_s, lambda: line.heard(text))
            else:
                line.to_bot.send(network, lambda: line.heard(text))

    @staticmethod
    def _lose(line: Line) -> None:
        line.lost()
