"""One API of the simulated Aster as one pure machine. See `engine.sim.machine` and `engine.sim.simulated_venue`.

`engine.sim.venues` builds one from a fleet's SimSpec. Tests may look inside: `machine.exchange` tells open orders,
fills, balances and positions of an account by its name, as the venue itself knows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from engine.clock import NS_PER_MS
from engine.exchanges.interface import Credentials
from engine.exchanges.messages import HttpRequest
from engine.model.instrument import MarketKind
from engine.sim.aster.markets import MARKETS
from engine.sim.aster.rest import Rest
from engine.sim.aster.settings import AsterSettings
from engine.sim.aster.state import AsterState, next_funding_ms
from engine.sim.aster.streams import Streams
from engine.sim.machine import Outbound
from engine.sim.schedule import Schedule
from engine.sim.simulated_venue import FlowMaker, Reply, SimulatedVenue, sender


class AsterMachine(SimulatedVenue):
    """Implements `engine.sim.machine.VenueMachine`."""

    def __init__(self, kind: MarketKind, settings: AsterSettings, make_flow: FlowMaker | None) -> None:
        outbox: list[Outbound] = []
        schedule = Schedule()
        self._sockets = Streams(sender(outbox), schedule)
        super().__init__(MARKETS[kind], self._sockets, schedule, outbox, make_flow)
        self.exchange.crossing_post_only_expires = settings.crossing_post_only_expires
        self._state = AsterState(kind, self.exchange, settings, self.stir)
        self._sockets.attach(self._state)
        self._rest = Rest(self._state)

    def open_account(self, name: str, credentials: Credentials, balances: Mapping[str, Decimal]) -> None:
        """Let an account in: its wallet, its HMAC key, and what it owns at the start."""
        self._state.users[credentials["user"].lower()] = name
        self._state.api_secrets[credentials["api_key"]] = (name, credentials["api_secret"].encode())
        self.exchange.open_account(name, balances)

    def answer(self, request: HttpRequest, now_ns: int, reply: Reply) -> None:
        reply(self._rest.answer(request, now_ns))

    def begin(self, now_ns: int) -> None:
        self._schedule.at(next_funding_ms(now_ns) * NS_PER_MS, self._funding_due)

    def _funding_due(self, now_ns: int) -> None:
        for account, symbol in self._state.settle_funding(now_ns):
            self._sockets.funding_paid(self.exchange.account(account), symbol)
        self._schedule.at(next_funding_ms(now_ns) * NS_PER_MS, self._funding_due)
