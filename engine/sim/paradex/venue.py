"""The simulated Paradex as one pure machine: messages and time in, messages out. See `engine.sim.market_machine`.

`engine.sim.venues` builds one from a fleet's SimSpec. Tests may look inside: `machine.exchange` tells open orders,
fills, balances and positions of an account by its name, as the venue itself knows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from engine.clock import NS_PER_S
from engine.exchanges.interface import Credentials
from engine.exchanges.paradex.chains import TESTNET
from engine.exchanges.paradex.keys import keys_of
from engine.sim.machine import HttpReceived, Inbound, SocketClosed, SocketOpened, SocketReceived
from engine.sim.market_machine import FlowMaker, MarketMachine
from engine.sim.matching import Level
from engine.sim.paradex.auth import Door
from engine.sim.paradex.calls import Venue
from engine.sim.paradex.feeds import Feeds
from engine.sim.paradex.markets import MARKETS
from engine.sim.paradex.rest import Rest
from engine.sim.paradex.settings import ParadexSettings
from engine.sim.paradex.sockets import Sockets
from engine.sim.paradex.state import Member, ParadexState
from engine.sim.paradex.trading import Trading
from engine.sim.schedule import Schedule
from engine.sim.venue_market import VenueMarket


class ParadexMachine(MarketMachine):
    """Implements `engine.sim.machine.VenueMachine`."""

    def __init__(self, settings: ParadexSettings, make_flow: FlowMaker | None) -> None:
        schedule = Schedule()
        self._feeds = Feeds(self._send, schedule)
        super().__init__(MARKETS, self._feeds, schedule, make_flow)
        self._state = ParadexState(self.exchange, settings, self._stir)
        self._feeds.attach(self._state)
        door = Door(self._state)
        venue = Venue(self._state, door, Trading(self._state, door, schedule, self._feeds.paper_changed))
        self._rest = Rest(venue)
        self._sockets = Sockets(venue, self._feeds, self._send)

    def open_account(self, name: str, credentials: Credentials, balances: Mapping[str, Decimal]) -> None:
        """Let an account in: its address and key, and what it owns at the start."""
        keys = keys_of(credentials, TESTNET)
        self._state.members[keys.account] = Member(name, keys.account, [keys.public_key])
        self.exchange.open_account(name, balances)

    def register_subkey(self, account: int, public_key: int) -> None:
        """Let another key sign for an account."""
        self._state.members[account].keys.append(public_key)

    def _take(self, message: Inbound, now_ns: int) -> None:
        match message:
            case HttpReceived(request_id=request_id, request=request):
                self._reply(request_id, self._rest.answer(request, now_ns))
            case SocketOpened(socket_id=socket_id):
                self._sockets.opened(socket_id)
            case SocketReceived(socket_id=socket_id, text=text):
                self._sockets.received(socket_id, text)
            case SocketClosed(socket_id=socket_id):
                self._sockets.closed(socket_id)

    def _clock_set(self, now_ns: int) -> None:
        self._feeds.now_ns = now_ns

    def _started(self, now_ns: int) -> None:
        self._schedule.at(now_ns - now_ns % NS_PER_S + NS_PER_S, self._second_passed)
        self._schedule.at(self._state.funding.next_ns(now_ns), self._funding_due)

    def _book_changed(self, at: VenueMarket, _bids: list[Level], _asks: list[Level]) -> None:
        self._feeds.book_changed(at)

    def _second_passed(self, now_ns: int) -> None:
        self._feeds.second_passed(now_ns)
        self._schedule.at(now_ns - now_ns % NS_PER_S + NS_PER_S, self._second_passed)

    def _funding_due(self, now_ns: int) -> None:
        for account, payment in self._state.funding.settle(now_ns):
            self._feeds.funding_paid(self.exchange.account(account), payment)
        self._schedule.at(self._state.funding.next_ns(now_ns), self._funding_due)
