"""A toy venue whose wire format is our own events as JSON, on the virtual network, and a session talking to it.

It has no rules of its own: a test says what it answers, and when it speaks, falls silent or hangs up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from engine.clock import NS_PER_S
from engine.errors import AuthenticationFailed, ClockSkewed, ProtocolError, RateLimited, Unavailable, Unresolved
from engine.exchanges.interface import Access, Context, Endpoints, VenueFacts
from engine.exchanges.messages import HttpRequest, HttpResponse, Stream
from engine.model.commands import Batch, CancelOrder, Command, SetDeadMansSwitch, SubmitOrder
from engine.model.events import (
    BookLost,
    BookUpdated,
    CancelAcknowledged,
    DepthChanged,
    DepthSnapshot,
    Event,
    MarkPriceUpdated,
    OpenOrdersReported,
    OrderUpdated,
)
from engine.model.ids import ClientIdScheme
from engine.model.instrument import Instrument, MarketKind
from engine.model.order import ApprovedOrder, OrderReport, OrderRequest, OrderStatus, Side
from engine.session.session import Session
from engine.session.settings import SessionSettings
from engine.session.shared import Shared
from engine.sim.machine import (
    HttpAnswered,
    HttpReceived,
    Inbound,
    Outbound,
    SocketClosed,
    SocketDropped,
    SocketReceived,
    SocketSent,
)
from engine.sim.network import VirtualNetwork
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import VirtualWorld

LEG = "main"
ENDPOINTS = Endpoints(rest_url="http://toy", ws_url="ws://toy/")
SILENCE_LIMIT_S = 60.0
WIRE = msgspec.json.Decoder(
    list[DepthChanged | DepthSnapshot | MarkPriceUpdated | OrderUpdated | CancelAcknowledged | OpenOrdersReported]
)
ERRORS = {429: RateLimited, 401: AuthenticationFailed, 418: ClockSkewed, 503: Unresolved, 500: Unavailable}

Answer = HttpResponse | None
"""None: the venue never answers."""


def depth(first_id: int, last_id: int, *, bid: int = 99, ask: int = 101) -> DepthChanged:
    return DepthChanged(at_ns=0, leg=LEG, first_id=first_id, last_id=last_id, bids=((bid, 5),), asks=((ask, 5),))


def book(last_id: int, *, bid: int = 99, ask: int = 101) -> DepthSnapshot:
    return DepthSnapshot(at_ns=0, leg=LEG, last_id=last_id, bids=((bid, 5),), asks=((ask, 5),))


def taken(client_id: int) -> OrderReport:
    return OrderReport(
        venue_order_id=str(client_id),
        client_id=client_id,
        side=Side.BUY,
        ticks=99,
        lots=1,
        executed_lots=0,
        status=OrderStatus.RESTING,
    )


def submit(client_id: int = 7) -> SubmitOrder:
    request = OrderRequest(leg=LEG, client_id=client_id, slot="bid.0", side=Side.BUY, ticks=99, lots=1)
    return SubmitOrder(leg=LEG, order=ApprovedOrder(request=request))


def cancel(client_id: int = 7) -> CancelOrder:
    return CancelOrder(leg=LEG, client_id=client_id, venue_order_id=None)


def said(*events: Event) -> str:
    return msgspec.json.encode(events).decode()


def answered(*events: Event) -> HttpResponse:
    return HttpResponse(status=200, body=said(*events).encode())


class ToyMachine:
    """The far end: a VenueMachine that does what the test says. `sockets` maps socket id to stream name."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[], Answer]] = {"/time": self._tell_time}
        self.received: list[HttpRequest] = []
        self.subscribed: list[tuple[str, str]] = []
        self.told: list[tuple[str, str]] = []
        """What was said on sockets after they were subscribed."""
        self.greetings: dict[str, Callable[[], str]] = {}
        """What a stream's subscriber hears first."""
        self.clock_ahead_ns = 0
        self.sockets: dict[int, str] = {}
        self.holding = ""
        self.held: list[tuple[int, Answer]] = []
        self._outbox: list[Outbound] = []
        self._now_ns = 0

    def handle(self, message: Inbound, now_ns: int) -> list[Outbound]:
        self._now_ns = now_ns
        match message:
            case HttpReceived(request_id=request_id, request=request):
                self.received.append(request)
                response = self.answers.get(request.target, lambda: answered())()
                if self.holding == request.target:
                    self.held.append((request_id, response))
                    return []
                return [HttpAnswered(request_id=request_id, response=response)] if response else []
            case SocketReceived(socket_id=socket_id, text=text):
                name, _, signed_ns = text.partition("@")
                if signed_ns:
                    self.sockets[socket_id] = name
                    self.subscribed.append((name, signed_ns))
                    if name in self.greetings:
                        return [SocketSent(socket_id=socket_id, text=self.greetings[name]())]
                else:
                    self.told.append((self.sockets[socket_id], text))
            case SocketClosed(socket_id=socket_id):
                self.sockets.pop(socket_id, None)
        return []

    def wake(self, now_ns: int) -> list[Outbound]:
        outbox, self._outbox = self._outbox, []
        return outbox

    @property
    def next_wake_ns(self) -> int | None:
        return 0 if self._outbox else None

    def say(self, stream: str, text: str) -> None:
        sockets = [socket for socket, name in self.sockets.items() if name == stream]
        self._outbox += [SocketSent(socket_id=socket, text=text) for socket in sockets]

    def hang_up(self, stream: str) -> None:
        for socket in [socket for socket, name in self.sockets.items() if name == stream]:
            self._outbox.append(SocketDropped(socket_id=socket, code=1001))
            del self.sockets[socket]

    def release(self) -> None:
        """Answer what was held back under the target `holding`."""
        self.holding = ""
        held, self.held = self.held, []
        self._outbox += [HttpAnswered(request_id=number, response=answer) for number, answer in held if answer]

    def asked(self, target: str) -> int:
        return sum(request.target == target for request in self.received)

    def _tell_time(self) -> HttpResponse:
        return HttpResponse(status=200, body=str(self._now_ns + self.clock_ahead_ns).encode())


class ToyGate:
    """A token is `name renew_in_s expires_in_s`."""

    def login(self, context: Context) -> HttpRequest:
        return HttpRequest(method="POST", target="/login")

    def renewal(self, access: Access, context: Context) -> HttpRequest:
        return HttpRequest(method="PUT", target="/renew", headers=(("token", access.token),))

    def decode(self, response: HttpResponse, *, at_ns: int) -> Access:
        if response.status != 200:
            raise ERRORS[response.status](f"status {response.status}")
        token, renew_in_s, expires_in_s = response.body.decode().split()
        return Access(
            token=token,
            renew_ns=at_ns + int(renew_in_s) * NS_PER_S,
            expires_ns=at_ns + int(expires_in_s) * NS_PER_S,
        )


class ToyNonceSource:
    def request(self, context: Context) -> HttpRequest:
        return HttpRequest(method="GET", target="/nonce", headers=(("token", context.token),))

    def decode(self, response: HttpResponse) -> int:
        if response.status != 200:
            raise ERRORS[response.status](f"status {response.status}")
        return int(response.body)


class ToyCodec:
    """Targets are command names, bodies and frames are lists of events."""

    def __init__(self) -> None:
        self.signed_ns: list[int] = []
        self.gate: ToyGate | None = None
        self.nonce_source: ToyNonceSource | None = None
        self.heartbeat: str | None = None

    def streams(self, context: Context) -> tuple[Stream, ...]:
        at = f"@{context.now_ns}" + (f"#{context.token}" if context.token else "")
        return (
            Stream(name="account", url="ws://toy/", frames=("account" + at,), private=True),
            Stream(
                name="market",
                url="ws://toy/",
                frames=("market" + at,),
                private=False,
                silence_limit_s=SILENCE_LIMIT_S,
                heartbeat=self.heartbeat,
                heartbeat_s=20.0,
            ),
        )

    def encode(self, command: Command, context: Context) -> HttpRequest:
        self.signed_ns.append(context.now_ns)
        headers = [("token", context.token), ("nonce", str(context.nonce))]
        if isinstance(command, SetDeadMansSwitch):
            headers.append(("cancel_after_s", str(command.cancel_after_s)))
        return HttpRequest(method="GET", target=f"/{type(command).__name__}", headers=tuple(headers))

    def decode_reply(
        self, command: Command, response: HttpResponse, *, requested_ns: int, at_ns: int
    ) -> Sequence[Event]:
        if response.status != 200:
            raise ERRORS[response.status](f"status {response.status}", venue_words=response.body.decode())
        return self.decode_frame(response.body, at_ns=at_ns)

    def answer_frame(self, text: str | bytes) -> str | None:
        return "pong" if text == "[]" else None

    def decode_frame(self, text: str | bytes, *, at_ns: int) -> Sequence[Event]:
        if text == "token ended":
            raise AuthenticationFailed("the token has ended")
        try:
            events = WIRE.decode(text)
        except msgspec.MsgspecError as error:
            raise ProtocolError("garbage") from error
        return [msgspec.structs.replace(event, at_ns=at_ns) for event in events]


class BatchingToyCodec(ToyCodec):
    """A batch's body names its items; its answer is a list of what each would have been told."""

    def encode_batch(self, batch: Batch, context: Context) -> HttpRequest:
        request = self.encode(batch, context)
        return msgspec.structs.replace(request, body=" ".join(map(_own_id, batch.items)).encode())

    def split_reply(self, batch: Batch, response: HttpResponse) -> Sequence[HttpResponse]:
        if response.status != 200:
            return [response] * len(batch.items)
        parts = msgspec.json.decode(response.body, type=list[tuple[int, str]])
        return [HttpResponse(status=status, body=body.encode()) for status, body in parts]


def _own_id(item: SubmitOrder | CancelOrder) -> str:
    return str(item.client_id if isinstance(item, CancelOrder) else item.order.request.client_id)


class ToyBook:
    """Whole from a snapshot on; every diff must begin where the last one ended, or overlap the snapshot."""

    def __init__(self, leg: str) -> None:
        self.last_id: int | None = None

    @property
    def wants_snapshot(self) -> bool:
        return self.last_id is None

    def changed(self, event: DepthChanged) -> BookUpdated | BookLost | None:
        if self.last_id is None or event.last_id <= self.last_id:
            return None
        if event.first_id > self.last_id + 1:
            self.last_id = None
            return BookLost(at_ns=event.at_ns, leg=event.leg, reason="gap")
        self.last_id = event.last_id
        return BookUpdated(at_ns=event.at_ns, leg=event.leg, bids=event.bids, asks=event.asks)

    def snapshot(self, event: DepthSnapshot) -> BookUpdated | BookLost | None:
        if self.last_id is not None:
            return None
        self.last_id = event.last_id
        return BookUpdated(at_ns=event.at_ns, leg=event.leg, bids=event.bids, asks=event.asks)

    def reset(self) -> None:
        self.last_id = None


class ToyVenue:
    facts = VenueFacts(
        name="toy",
        kinds=frozenset({MarketKind.PERP}),
        client_ids=ClientIdScheme(tag_bits=8, sequence_bits=24),
        send_lifetime_ns=5 * NS_PER_S,
        lookup_only_while_resting=False,
        requests_per_minute=600,
        credential_fields=(),
    )

    def __init__(self, **facts: Any) -> None:
        self.facts = msgspec.structs.replace(ToyVenue.facts, **facts)

    def book(self, leg: str) -> ToyBook:
        return ToyBook(leg)

    def server_time_request(self) -> HttpRequest:
        return HttpRequest(method="GET", target="/time")

    def decode_server_time(self, response: HttpResponse) -> int:
        if response.status != 200:
            raise Unavailable(f"status {response.status}")
        return int(response.body)

    def instruments_request(self) -> HttpRequest:
        return HttpRequest(method="GET", target="/markets")

    def decode_instruments(self, response: HttpResponse) -> tuple[Instrument, ...]:
        return msgspec.json.decode(response.body, type=tuple[Instrument, ...])


class Stage:
    """A session on the virtual network, and everything it delivered."""

    def __init__(
        self, loop: VirtualLoop, settings: Mapping[str, Any], crash: Exception | None, latency_ms: tuple[int, int]
    ) -> None:
        self.toy = ToyMachine()
        self.codec = ToyCodec()
        self.venue = ToyVenue()
        self.shared: Shared | None = None
        self.network = VirtualNetwork(loop, {"toy": self.toy}, seed=1, latency_ms=latency_ms)
        self.world = VirtualWorld(self.network, seed=1)
        self.events: list[Event] = []
        self.endpoints: Endpoints | Exception = ENDPOINTS
        self.crash = crash
        self._settings = SessionSettings(leg=LEG, **settings)
        self.session = self.another_session()

    def another_session(self) -> Session:
        return Session(
            self.world,
            self.venue,
            self.codec,
            self._endpoints_of,
            self._deliver,
            self._settings,
            self.shared,
        )

    def renew_session(self) -> None:
        """After the venue or the codec was changed, before anything begins."""
        self.session = self.another_session()

    def tell(self, stream: str, *events: Event) -> None:
        """Let the venue say something now."""
        self.toy.say(stream, said(*events))
        self.nudge()

    def tell_text(self, stream: str, text: str) -> None:
        self.toy.say(stream, text)
        self.nudge()

    def hang_up(self, stream: str) -> None:
        self.toy.hang_up(stream)
        self.nudge()

    def release(self) -> None:
        self.toy.release()
        self.nudge()

    def nudge(self) -> None:
        host = self.network.host("http://toy")
        assert host is not None
        host.schedule()

    async def wait(self, delay_s: float) -> None:
        await self.world.sleep(delay_s)

    def heard(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if type(event) is kind]

    @property
    def story(self) -> list[str]:
        return [type(event).__name__ for event in self.events]

    def _endpoints_of(self) -> Endpoints:
        if isinstance(self.endpoints, Exception):
            raise self.endpoints
        return self.endpoints

    def _deliver(self, event: Event) -> None:
        self.events.append(event)
        if self.crash is not None:
            raise self.crash


def play(
    scene: Callable[[Stage], Awaitable[None]],
    *,
    run: bool = True,
    crash: Exception | None = None,
    prepare: Callable[[Stage], None] = lambda _stage: None,
    latency_ms: tuple[int, int] = (1, 5),
    **settings: Any,
) -> Stage:
    """Play a scene beside a running session, in virtual time; the session is closed at the end."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)

    async def whole() -> Stage:
        stage = Stage(loop, settings, crash, latency_ms)
        stage.toy.answers["/QueryBook"] = lambda: answered(book(10))
        prepare(stage)
        stage.renew_session()
        running = asyncio.ensure_future(stage.session.run()) if run else None
        scened = asyncio.ensure_future(scene(stage))
        await asyncio.wait([task for task in (running, scened) if task], return_when=asyncio.FIRST_COMPLETED)
        if running and running.done() and running.exception():
            scened.cancel()
        else:
            await scened
        await stage.session.close()
        if running:
            await running
        return stage

    try:
        return loop.run_until_complete(whole())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
