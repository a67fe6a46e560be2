"""A simulated venue in virtual time, and the hands to use it: signed requests, sockets, waiting."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from engine.clock import NS_PER_MS, NS_PER_S, seconds_to_ns
from engine.exchanges.backpack.signing import Parameters, Signer, build_request
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.sim.backpack.settings import BackpackSettings
from engine.sim.machine import (
    HttpAnswered,
    HttpReceived,
    Inbound,
    Outbound,
    SocketOpened,
    SocketReceived,
    SocketSent,
    VenueMachine,
)
from engine.sim.recording import OpenLines
from engine.sim.venues import account_credentials, simulated_backpack
from engine.spec.types import SimSpec

START_NS = 1_790_000_000 * NS_PER_S
FLEET = "tests"
BALANCES = {"USDC": Decimal(100_000), "SOL": Decimal(100)}
SPOT, PERP = "SOL_USDC", "SOL_USDC_PERP"


class MachineDesk:
    """Any venue's machine: requests and answers, sockets and frames, and time that passes."""

    def __init__(self, machine: VenueMachine) -> None:
        self.machine = machine
        self.now_ns = START_NS
        self.transcript: list[tuple[int, Outbound]] = []
        self._frames: dict[int, list[dict[str, Any]]] = defaultdict(list)
        self._answers: dict[int, HttpResponse] = {}
        self._ids = 0

    def send(self, request: HttpRequest) -> HttpResponse:
        self._ids += 1
        request_id = self._ids
        self._take(self.machine.handle(HttpReceived(request_id=request_id, request=request), self.now_ns))
        while request_id not in self._answers:
            self._wake(self.machine.next_wake_ns)
        return self._answers.pop(request_id)

    def handle(self, message: Inbound) -> None:
        self._take(self.machine.handle(message, self.now_ns))

    def run(self, duration_s: float) -> None:
        """Let virtual time pass."""
        until_ns = self.now_ns + seconds_to_ns(duration_s)
        while (due_ns := self.machine.next_wake_ns) is not None and due_ns <= until_ns:
            self._wake(due_ns)
        self._wake(until_ns)

    def frames(self, socket_id: int, stream: str | None = None) -> list[dict[str, Any]]:
        """Everything a socket was sent; with a stream, the data of its frames."""
        frames = self._frames[socket_id]
        return frames if stream is None else [frame["data"] for frame in frames if frame.get("stream") == stream]

    def _wake(self, at_ns: int | None) -> None:
        assert at_ns is not None, "the venue waits for nothing"
        self.now_ns = max(self.now_ns, at_ns)
        self._take(self.machine.wake(self.now_ns))

    def _take(self, messages: list[Outbound]) -> None:
        for message in messages:
            self.transcript.append((self.now_ns, message))
            match message:
                case HttpAnswered(request_id=request_id, response=response):
                    self._answers[request_id] = response
                case SocketSent(socket_id=socket_id, text=text):
                    self._frames[socket_id].append(json.loads(text))


class Desk(MachineDesk):
    """`speed` 0 has no background flow: the books hold only what the test puts there."""

    def __init__(
        self,
        *accounts: str,
        speed: str = "0",
        seed: int = 1,
        settings: BackpackSettings | None = None,
        recording: OpenLines | None = None,
        balances: dict[str, Decimal] = BALANCES,
    ) -> None:
        accounts = accounts or ("alice", "bob")
        spec = SimSpec(
            venue="backpack",
            seed=seed,
            speed=Decimal(speed),
            latency_ms=0,
            taker_delay_ms=100,
            recording=None,
            accounts=dict.fromkeys(accounts, balances),
        )
        super().__init__(simulated_backpack(spec, FLEET, recording, settings))
        self.signers = {name: _signer(name) for name in accounts}

    def request(self, account: str | None, method: str, path: str, parameters: Any = None) -> HttpResponse:
        """Send, and wait in virtual time for the answer."""
        parameters = {} if parameters is None else parameters
        signer = self.signers[account] if account else None
        return self.send(build_request(signer, method, path, parameters, self.now_ns // NS_PER_MS))

    def get(self, account: str | None, path: str, **query: str | int) -> Any:
        return json.loads(self.request(account, "GET", path, query).body)

    def place(self, account: str, side: str, price: str | None, quantity: str, **more: Any) -> dict[str, Any]:
        """An order on SOL_USDC unless `symbol` says otherwise; without a price a market order."""
        order: dict[str, Any] = {"symbol": SPOT, "side": side, "quantity": quantity, "orderType": "Market"}
        if price is not None:
            order |= {"orderType": "Limit", "price": price}
        return self.post(account, {**order, **more})

    def post(self, account: str, order: Parameters) -> dict[str, Any]:
        answer = self.request(account, "POST", "/api/v1/order", order)
        try:
            return {"http": answer.status, **json.loads(answer.body)}
        except ValueError:
            return {"http": answer.status, "text": answer.body.decode()}

    def open_socket(self, *streams: str, account: str | None = None) -> int:
        self._ids += 1
        self.handle(SocketOpened(socket_id=self._ids))
        self.subscribe(self._ids, streams, account=account)
        return self._ids

    def subscribe(self, socket_id: int, streams: Iterable[str], *, account: str | None = None) -> None:
        frame: dict[str, Any] = {"method": "SUBSCRIBE", "params": list(streams)}
        if account is not None:
            frame["signature"] = self.signers[account].subscription(self.now_ns // NS_PER_MS)
        self.handle(SocketReceived(socket_id=socket_id, text=json.dumps(frame)))


def _signer(account: str) -> Signer:
    keys = account_credentials("backpack", FLEET, account)
    return Signer(keys["api_key"], keys["api_secret"])
