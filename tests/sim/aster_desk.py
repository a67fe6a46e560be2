"""The simulated Aster in virtual time, and the hands to use it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from engine.clock import NS_PER_US
from engine.exchanges.aster.apis import PREFIXES
from engine.exchanges.aster.signing import HmacSigner, Signer, WalletSigner
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.model.instrument import MarketKind
from engine.sim.aster.settings import AsterSettings
from engine.sim.machine import SocketOpened
from engine.sim.venues import account_credentials, simulated_aster
from engine.spec.types import SimSpec
from tests.sim.desk import FLEET, MachineDesk

BALANCES = {"USDT": Decimal(100_000), "BTC": Decimal(2)}
BTC = "BTCUSDT"


class AsterDesk(MachineDesk):
    """One API without background flow: the books hold only what the test puts there."""

    def __init__(self, kind: MarketKind = MarketKind.PERP, settings: AsterSettings | None = None) -> None:
        accounts = ("alice", "bob")
        spec = SimSpec(
            venue="aster" if kind is MarketKind.PERP else "aster-spot",
            seed=1,
            speed=Decimal(0),
            latency_ms=0,
            taker_delay_ms=0,
            recording=None,
            accounts=dict.fromkeys(accounts, BALANCES),
        )
        super().__init__(simulated_aster(spec, FLEET, None, settings))
        self.prefix = PREFIXES[kind]
        self.keys = {name: account_credentials(spec.venue, FLEET, name) for name in accounts}
        self._nonce = 0

    def wallet(self, account: str) -> Signer:
        return WalletSigner(self.keys[account]["user"], self.keys[account]["private_key"])

    def old_key(self, account: str) -> Signer:
        return HmacSigner(self.keys[account]["api_key"], self.keys[account]["api_secret"])

    def nonce(self) -> int:
        """The clock in µs, never the same twice."""
        self._nonce = max(self._nonce + 1, self.now_ns // NS_PER_US)
        return self._nonce

    def signed(self, account: str, method: str, route: str, **parameters: Any) -> HttpRequest:
        text = urlencode(parameters)
        return self.wallet(account).request(method, f"{self.prefix}/v3{route}", text, self.nonce())

    def ask(self, account: str, method: str, route: str, **parameters: Any) -> Any:
        """The answer's JSON, of a success or a refusal."""
        return body(self.send(self.signed(account, method, route, **parameters)))

    def place(self, account: str, side: str, price: str | None, quantity: str, **more: Any) -> Any:
        """A limit order on BTCUSDT; without a price a market order."""
        order: dict[str, Any] = {"symbol": BTC, "side": side, "type": "MARKET", "quantity": quantity}
        if price is not None:
            order |= {"type": "LIMIT", "price": price, "timeInForce": "GTC"}
        return self.ask(account, "POST", "/order", **order | more)

    def open(self, target: str) -> int:
        self._ids += 1
        self.handle(SocketOpened(socket_id=self._ids, target=target))
        return self._ids

    def account_stream(self, account: str) -> int:
        return self.open("/ws/" + self.ask(account, "POST", "/listenKey")["listenKey"])


def body(response: HttpResponse) -> Any:
    return json.loads(response.body)
