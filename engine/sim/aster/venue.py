"""One API of the simulated Aster as one pure machine. See `engine.sim.market_machine`.

`engine.sim.venues` builds one from a fleet's SimSpec. Tests may look inside: `machine.exchange` tells open orders,
fills, balances and positions of an account by its name, as the venue itself knows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from engine.clock import NS_PER_S
from engine.exchanges.interface import Credentials
from engine.model.instrument import MarketKind
from engine.sim.aster.markets import MARKETS
from engine.sim.aster.rest import Rest
from engine.sim.aster.settings import AsterSettings
from engine.sim.aster.state import AsterState
from engine.sim.aster.streams import Streams
from engine.sim.machine import HttpReceived, Inbound, SocketClosed, SocketOpened, SocketReceived
from engine.sim.market_machine import FlowMaker, MarketMachine
from engine.sim.matching import Level
from engine.sim.schedule import Schedule
from engine.sim.venue_market import VenueMarket


class AsterMachine(MarketMachine):
    """Implements `engine.sim.machine.VenueMachine`."""

    def __init__(self, kind: MarketKind, settings: AsterSettings, make_flow: FlowMaker | None) -> None:
        schedule = Schedule()
        self._sockets = Streams(self._send, schedule)
        super().__init__(MARKETS[kind], self._sockets, schedule, make_flow)
        self.exchange.crossing_post_only_expires = settings.crossing_post_only_expires
        self._state = AsterState(kind, self.exchange, settings, self._stir, schedule)
        self._sockets.attach(self._state)
        self._rest = Rest(self._state)

    def open_account(self, name: str, credentials: Credentials, balances: Mapping[str, Decimal]) -> None:
        """Let an account in: its wallet, its HMAC key, and what it owns at the start."""
        self._state.users[credentials["user"].lower()] = name
        self._state.api_secrets[credentials["api_key"]] = (name, credentials["api_secret"].encode())
        self.exchange.open_account(name, balances)

    def _take(self, message: Inbound, now_ns: int) -> None:
        match message:
            case HttpReceived(request_id=request_id, request=request):
                self._reply(request_id, self._rest.answer(request, now_ns))
            case SocketOpened(socket_id=socket_id, target=target):
                self._sockets.opened(socket_id, target)
            case SocketReceived(socket_id=socket_id, text=text):
                self._sockets.received(socket_id, text)
            case SocketClosed(socket_id=socket_id):
                self._sockets.closed(socket_id)

    def _clock_set(self, now_ns: int) -> None:
        self._sockets.now_ns = now_ns

    def _started(self, now_ns: int) -> None:
        self._schedule.at(now_ns - now_ns % NS_PER_S + NS_PER_S, self._second_passed)
        self._schedule.at(self._state.funding.next_ns(now_ns), self._funding_due)

    def _book_changed(self, at: VenueMarket, bids: list[Level], asks: list[Level]) -> None:
        self._sockets.book_changed(at, bids, asks)

    def _second_passed(self, now_ns: int) -> None:
        self._sockets.second_passed(now_ns)
        self._schedule.at(now_ns - now_ns % NS_PER_S + NS_PER_S, self._second_passed)

    def _funding_due(self, now_ns: int) -> None:
        for account, payment in self._state.funding.settle(now_ns):
            self._sockets.funding_paid(self.exchange.account(account), payment)
        self._schedule.at(self._state.funding.next_ns(now_ns), self._funding_due)
