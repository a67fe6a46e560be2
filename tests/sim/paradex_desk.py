"""A simulated Paradex in virtual time, and the hands to use it: logins, signed orders, sockets, waiting."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from typing import Any

import msgspec

from engine.clock import NS_PER_MS, NS_PER_S, seconds_to_ns
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.exchanges.paradex.chains import TESTNET
from engine.exchanges.paradex.keys import PRIVATE_KEY, keys_of
from engine.exchanges.paradex.signing import JSON, OrderTerms, Signer
from engine.sim.machine import (
    HttpAnswered,
    HttpReceived,
    Inbound,
    Outbound,
    SocketClosed,
    SocketOpened,
    SocketReceived,
    SocketSent,
)
from engine.sim.paradex.settings import ParadexSettings
from engine.sim.venues import account_credentials, simulated_paradex
from engine.spec.types import SimSpec

START_NS = 1_790_000_000 * NS_PER_S
FLEET, SOL = "tests", "SOL-USD-PERP"


class Desk:
    """`speed` 0 has no background flow: the books hold only what the test puts there."""

    def __init__(self, *, speed: str = "0", settings: ParadexSettings | None = None, **balances: str) -> None:
        names = ("alice", "bob")
        funds = {name: {"USDC": Decimal(balances.get(name, "100000"))} for name in names}
        spec = SimSpec(
            venue="paradex",
            seed=1,
            speed=Decimal(speed),
            latency_ms=0,
            taker_delay_ms=0,
            recording=None,
            accounts=funds,
        )
        self.machine = simulated_paradex(spec, FLEET, settings=settings)
        self.now_ns = START_NS
        self.keys = {name: keys_of(account_credentials("paradex", FLEET, name), TESTNET) for name in names}
        self.signers = {name: Signer(keys, TESTNET) for name, keys in self.keys.items()}
        self._tokens: dict[str, str] = {}
        self._frames: dict[int, list[dict[str, Any]]] = defaultdict(list)
        self._answers: dict[int, HttpResponse] = {}
        self._ids = 0

    def add_subkey(self, account: str, seed: str) -> Signer:
        """Another key of an account, known to the venue; gives its signer."""
        own = account_credentials("paradex", FLEET, seed)[PRIVATE_KEY]
        address = hex(self.keys[account].account)
        keys = keys_of({PRIVATE_KEY: own, "account_address": address}, TESTNET)
        self.machine.register_subkey(keys.account, keys.public_key)
        return Signer(keys, TESTNET)

    # REST ----------------------------------------------------------------------------------------------

    def login(self, signer: Signer, *, usage: str = "") -> HttpResponse:
        request = signer.login(self.now_ns // NS_PER_S, 1_800)
        target = request.target + (f"?token_usage={usage}" if usage else "")
        return self.send(msgspec.structs.replace(request, target=target))

    def token(self, account: str) -> str:
        if account not in self._tokens:
            self._tokens[account] = json.loads(self.login(self.signers[account]).body)["jwt_token"]
        return self._tokens[account]

    def forget_tokens(self) -> None:
        """Log in anew at the next request: those there were have ended."""
        self._tokens.clear()

    def interactive(self, account: str) -> None:
        """From now on the account's token has a speed bump."""
        answer = self.login(self.signers[account], usage="interactive")
        self._tokens[account] = json.loads(answer.body)["jwt_token"]

    def request(self, account: str | None, method: str, path: str, body: Any = None) -> HttpResponse:
        headers = (JSON, ("Authorization", f"Bearer {self.token(account)}")) if account else (JSON,)
        payload = b"" if body is None else json.dumps(body).encode()
        return self.send(HttpRequest(method=method, target=f"/v1{path}", headers=headers, body=payload))

    def get(self, account: str | None, path: str) -> Any:
        return json.loads(self.request(account, "GET", path).body)

    def send(self, request: HttpRequest) -> HttpResponse:
        self._ids += 1
        self._take(self.machine.handle(HttpReceived(request_id=self._ids, request=request), self.now_ns))
        return self._answers.pop(self._ids)

    def order(self, account: str, side: str, price: str, size: str, **more: Any) -> dict[str, Any]:
        """A signed order on SOL as it stands in a body; `signed` replaces what the signature is for."""
        signer = more.pop("signer", self.signers[account])
        signed = more.pop("signed", {})
        stamp = more.pop("signature_timestamp", self.now_ns // NS_PER_MS)
        kind = more.pop("type", "LIMIT")
        terms = {"market": SOL, "side": side, "kind": kind, "size": size, "price": price, "timestamp_ms": stamp}
        return {
            "market": SOL,
            "side": side,
            "type": kind,
            "size": size,
            "price": price,
            "instruction": "GTC",
            "signature": signer.order(OrderTerms(**(terms | signed))),
            "signature_timestamp": stamp,
            **more,
        }

    def place(self, account: str, side: str, price: str, size: str, **more: Any) -> dict[str, Any]:
        answer = self.request(account, "POST", "/orders", self.order(account, side, price, size, **more))
        return {"http": answer.status, **json.loads(answer.body)}

    def settled(self, account: str, side: str, price: str, size: str, **more: Any) -> dict[str, Any]:
        """Place, wait for the queue, and look at what became of it."""
        placed = self.place(account, side, price, size, **more)
        assert placed["http"] == 201, placed
        self.run(0.01)
        return self.look(account, placed["id"])

    def look(self, account: str, order_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(account, f"/orders/{order_id}")
        return found

    # WebSocket -----------------------------------------------------------------------------------------

    def open_socket(self, *channels: str, account: str | None = None) -> int:
        self._ids += 1
        socket_id = self._ids
        self.handle(SocketOpened(socket_id=socket_id))
        if account:
            self.call(socket_id, "auth", {"bearer": self.token(account)})
        for channel in channels:
            self.call(socket_id, "subscribe", {"channel": channel})
        return socket_id

    def close_socket(self, socket_id: int) -> None:
        self.handle(SocketClosed(socket_id=socket_id))

    def call(self, socket_id: int, method: str, params: Any = None) -> dict[str, Any]:
        """Say something; gives the answer."""
        self._ids += 1
        said = {"jsonrpc": "2.0", "id": self._ids, "method": method, "params": params}
        self.handle(SocketReceived(socket_id=socket_id, text=json.dumps(said)))
        return next(frame for frame in self._frames[socket_id] if frame.get("id") == self._ids)

    def pushed(self, socket_id: int, channel: str) -> list[dict[str, Any]]:
        """The data of every message of a channel."""
        pushes = [frame["params"] for frame in self._frames[socket_id] if "params" in frame]
        return [push["data"] for push in pushes if push["channel"] == channel]

    def handle(self, message: Inbound) -> None:
        self._take(self.machine.handle(message, self.now_ns))

    def run(self, duration_s: float) -> None:
        """Let virtual time pass."""
        until_ns = self.now_ns + seconds_to_ns(duration_s)
        while (due_ns := self.machine.next_wake_ns) is not None and due_ns <= until_ns:
            self._wake(due_ns)
        self._wake(until_ns)

    def _wake(self, at_ns: int) -> None:
        self.now_ns = max(self.now_ns, at_ns)
        self._take(self.machine.wake(self.now_ns))

    def _take(self, messages: list[Outbound]) -> None:
        for message in messages:
            match message:
                case HttpAnswered(request_id=request_id, response=response):
                    self._answers[request_id] = response
                case SocketSent(socket_id=socket_id, text=text):
                    self._frames[socket_id].append(json.loads(text))
