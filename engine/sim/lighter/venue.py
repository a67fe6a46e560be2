"""The simulated Lighter as one pure machine: messages and time in, messages out. See `engine.sim.market_machine`.

`engine.sim.venues` builds one from a fleet's SimSpec. Tests may look inside: `machine.exchange` tells open orders,
fills, balances and positions of an account by its name, as the venue itself knows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from engine.clock import NS_PER_S
from engine.exchanges.interface import Credentials
from engine.exchanges.lighter.options import Tier
from engine.exchanges.lighter.schnorr import public_key
from engine.exchanges.lighter.venue import api_key
from engine.sim.lighter.auth import Gate
from engine.sim.lighter.gateway import Gateway
from engine.sim.lighter.markets import MARKETS
from engine.sim.lighter.rest import Rest
from engine.sim.lighter.sequencer import Sequencer
from engine.sim.lighter.settings import LighterSettings
from engine.sim.lighter.state import Key, LighterState
from engine.sim.lighter.streams import Streams
from engine.sim.machine import HttpReceived, Inbound, SocketClosed, SocketOpened, SocketReceived
from engine.sim.market_machine import FlowMaker, MarketMachine
from engine.sim.matching import Level
from engine.sim.schedule import Schedule
from engine.sim.venue_market import VenueMarket


class LighterMachine(MarketMachine):
    """Implements `engine.sim.machine.VenueMachine`."""

    def __init__(self, settings: LighterSettings, make_flow: FlowMaker | None) -> None:
        schedule = Schedule()
        self._streams = Streams(self._send, schedule)
        super().__init__(MARKETS, self._streams, schedule, make_flow)
        self._state = LighterState(self.exchange, settings, self._stir)
        gate = Gate(self._state)
        sequencer = Sequencer(self._state, schedule, self._streams.transaction_done, self._streams.order_refused)
        gateway = Gateway(self._state, gate, sequencer)
        self._streams.attach(self._state, gate, gateway)
        self._rest = Rest(self._state, gate, gateway)

    def open_account(
        self, name: str, credentials: Credentials, balances: Mapping[str, Decimal], tier: str = Tier.STANDARD
    ) -> None:
        """Let an account in: its index, its first key, what it owns at the start, and what it pays for."""
        key = api_key(credentials, self._state.settings.chain_id)
        self._state.names[key.account_index] = name
        self._state.indexes[name] = key.account_index
        self._state.keys[key.account_index, key.api_key_index] = Key(public_key(key.secret))
        if tier == Tier.PREMIUM:
            self._state.premium.add(name)
        self.exchange.open_account(name, balances)

    def _take(self, message: Inbound, now_ns: int) -> None:
        match message:
            case HttpReceived(request_id=request_id, request=request):
                self._reply(request_id, self._rest.answer(request, now_ns))
            case SocketOpened(socket_id=socket_id):
                self._streams.opened(socket_id)
            case SocketReceived(socket_id=socket_id, text=text):
                self._streams.received(socket_id, text)
            case SocketClosed(socket_id=socket_id):
                self._streams.closed(socket_id)

    def _clock_set(self, now_ns: int) -> None:
        self._streams.now_ns = now_ns

    def _started(self, now_ns: int) -> None:
        self._schedule.at(now_ns - now_ns % NS_PER_S + NS_PER_S, self._second_passed)
        self._schedule.at(self._state.funding.next_ns(now_ns), self._funding_due)

    def _book_changed(self, at: VenueMarket, bids: list[Level], asks: list[Level]) -> None:
        self._streams.book_changed(at, bids, asks)

    def _second_passed(self, now_ns: int) -> None:
        self._streams.second_passed()
        self._schedule.at(now_ns - now_ns % NS_PER_S + NS_PER_S, self._second_passed)

    def _funding_due(self, now_ns: int) -> None:
        self._state.funding.settle(now_ns)
        self._schedule.at(self._state.funding.next_ns(now_ns), self._funding_due)
