"""A simulated Lighter in virtual time, and one of our codecs in front of it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from engine.clock import NS_PER_S, seconds_to_ns
from engine.exchanges.interface import Codec, Context, Endpoints
from engine.exchanges.lighter.options import LighterOptions
from engine.exchanges.lighter.signing import PythonSigner
from engine.exchanges.lighter.transactions import SignedTransaction, TxInfo, TxType
from engine.exchanges.lighter.venue import Lighter, api_key
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.model.commands import CancelOrder, Command, SubmitOrder
from engine.model.events import DepthChanged, DepthSnapshot, Event
from engine.model.order import ApprovedOrder, OrderRequest, Side
from engine.sim.lighter.settings import LighterSettings
from engine.sim.machine import HttpAnswered, HttpReceived, Outbound, SocketOpened, SocketReceived, SocketSent
from engine.sim.venues import account_credentials, simulated_lighter
from engine.spec.types import SimSpec

START_NS = 1_790_000_000 * NS_PER_S
FLEET, ACCOUNTS = "tests", ("alice", "bob")
VENUE = Lighter(LighterOptions(tx_lifetime_s=30))
ENDPOINTS = Endpoints(rest_url="http://sim", ws_url="ws://sim/")
UNCOUNTED = LighterSettings(requests_per_minute=None)


class LighterDesk:
    """`speed` 0 has no background flow: the books hold only what the test puts there."""

    def __init__(
        self,
        *,
        speed: str = "0",
        settings: LighterSettings = UNCOUNTED,
        tiers: dict[str, str] | None = None,
    ) -> None:
        spec = SimSpec(
            venue="lighter",
            seed=1,
            speed=Decimal(speed),
            latency_ms=0,
            taker_delay_ms=300,
            recording=None,
            accounts={name: {"USDC": Decimal(10_000)} for name in ACCOUNTS},
            tiers=tiers,
        )
        self.machine = simulated_lighter(spec, FLEET, settings=settings)
        self.now_ns = START_NS
        self.sent: list[dict[str, Any]] = []
        self.frames: list[str] = []
        self._ids = 0
        self._nonces = dict.fromkeys(ACCOUNTS, 0)
        self.keys = {name: account_credentials("lighter", FLEET, name) for name in ACCOUNTS}
        self.signers = {name: PythonSigner(api_key(keys, 304)) for name, keys in self.keys.items()}
        eth = VENUE.decode_instruments(self.send(VENUE.instruments_request()))[0]
        self.codecs: dict[str, Codec] = {
            name: VENUE.codec(leg="main", instrument=eth, credentials=keys, endpoints=ENDPOINTS)
            for name, keys in self.keys.items()
        }

    def context(self, nonce: int | None = None) -> Context:
        return Context(now_ns=self.now_ns, nonce=nonce)

    def nonce(self, name: str) -> int:
        """The next nonce, as a session counts it."""
        self._nonces[name] += 1
        return self._nonces[name] - 1

    def send(self, request: HttpRequest) -> HttpResponse:
        self._ids += 1
        self._take(self.machine.handle(HttpReceived(request_id=self._ids, request=request), self.now_ns))
        return self._answer

    def ask(self, name: str, command: Command) -> list[Event]:
        """One command and the events of its reply."""
        numbered = isinstance(command, SubmitOrder | CancelOrder)
        codec = self.codecs[name]
        request = codec.encode(command, self.context(self.nonce(name) if numbered else None))
        return list(codec.decode_reply(command, self.send(request), requested_ns=self.now_ns, at_ns=self.now_ns))

    def place(
        self, name: str, client_id: int, side: Side, ticks: int, lots: int = 100, **flags: Any
    ) -> list[Event]:
        order = OrderRequest(leg="main", client_id=client_id, slot="x", side=side, ticks=ticks, lots=lots, **flags)
        return self.ask(name, SubmitOrder(leg="main", order=ApprovedOrder(request=order)))

    def cancel(self, name: str, client_id: int) -> list[Event]:
        return self.ask(name, CancelOrder(leg="main", client_id=client_id, venue_order_id=None))

    def signed(self, name: str, tx_type: TxType, fields: TxInfo, **more: Any) -> SignedTransaction:
        return self.signers[name].sign(tx_type, fields, nonce=self.nonce(name), now_ns=self.now_ns, **more)

    def listen(self, name: str) -> None:
        """Open both of a codec's streams."""
        for stream in self.codecs[name].streams(self.context()):
            self.open(*stream.frames)

    def open(self, *frames: str) -> int:
        self._ids += 1
        self._take(self.machine.handle(SocketOpened(socket_id=self._ids), self.now_ns))
        for frame in frames:
            self.say(self._ids, frame)
        return self._ids

    def say(self, socket_id: int, frame: str) -> None:
        self._take(self.machine.handle(SocketReceived(socket_id=socket_id, text=frame), self.now_ns))

    def run(self, duration_s: float) -> None:
        until_ns = self.now_ns + seconds_to_ns(duration_s)
        while (due_ns := self.machine.next_wake_ns) is not None and due_ns <= until_ns:
            self.now_ns = max(self.now_ns, due_ns)
            self._take(self.machine.wake(self.now_ns))
        self.now_ns = until_ns
        self._take(self.machine.wake(until_ns))

    def events(self, name: str, *, depth: bool = False) -> list[Event]:
        """What a codec hears in everything sent since last asked."""
        frames, self.frames = self.frames, []
        heard = [event for frame in frames for event in self.codecs[name].decode_frame(frame, at_ns=self.now_ns)]
        return [event for event in heard if isinstance(event, DepthChanged | DepthSnapshot) is depth]

    def _take(self, messages: list[Outbound]) -> None:
        for message in messages:
            if isinstance(message, HttpAnswered):
                self._answer = message.response
            elif isinstance(message, SocketSent):
                self.frames.append(message.text)
                self.sent.append(json.loads(message.text))
