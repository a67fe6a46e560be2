"""The simulated Backpack as one pure machine: messages and time in, messages out. See `engine.sim.market_machine`.

`engine.sim.venues` builds one from a fleet's SimSpec. Tests may look inside: `machine.exchange` tells open orders,
fills, balances and positions of an account by its name, as the venue itself knows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from engine.clock import NS_PER_S
from engine.sim.backpack.auth import Gate
from engine.sim.backpack.markets import MARKETS
from engine.sim.backpack.rest import Rest
from engine.sim.backpack.settings import BackpackSettings
from engine.sim.backpack.state import BackpackState
from engine.sim.backpack.streams import Streams
from engine.sim.machine import HttpReceived, Inbound, SocketClosed, SocketOpened, SocketReceived
from engine.sim.market_machine import FlowMaker, MarketMachine
from engine.sim.matching import Level
from engine.sim.schedule import Schedule
from engine.sim.venue_market import VenueMarket


class BackpackMachine(MarketMachine):
    """Implements `engine.sim.machine.VenueMachine`."""

    def __init__(self, settings: BackpackSettings, make_flow: FlowMaker | None) -> None:
        schedule = Schedule()
        self._streams = Streams(self._send, schedule)
        super().__init__(MARKETS, self._streams, schedule, make_flow)
        self._state = BackpackState(self.exchange, settings, self._stir)
        gate = Gate(self._state)
        self._streams.attach(self._state, gate)
        self._rest = Rest(self._state, gate, schedule)

    def open_account(self, name: str, api_key: str, balances: Mapping[str, Decimal]) -> None:
        """Let an account in: its key, and what it owns at the start."""
        self._state.accounts_by_key[api_key] = name
        self.exchange.open_account(name, balances)

    def _take(self, message: Inbound, now_ns: int) -> None:
        match message:
            case HttpReceived(request_id=request_id, request=request):
                self._rest.answer(request, now_ns, lambda response: self._reply(request_id, response))
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
        self._streams.second_passed(now_ns)
        self._schedule.at(now_ns - now_ns % NS_PER_S + NS_PER_S, self._second_passed)

    def _funding_due(self, now_ns: int) -> None:
        self._state.funding.settle(now_ns)
        self._schedule.at(self._state.funding.next_ns(now_ns), self._funding_due)
