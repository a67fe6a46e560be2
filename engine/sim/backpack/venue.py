"""The simulated Backpack as one pure machine: messages and time in, messages out. See `engine.sim.machine`.

`engine.sim.venues` builds one from a fleet's SimSpec. Tests may look inside: `machine.exchange` tells open orders,
fills, balances and positions of an account by its name, as the venue itself knows them.

A market sleeps until somebody asks for it by name; from then on its flow runs. Flow that fell behind by more
than CATCH_UP_NS (a laptop that slept) goes on from now instead of making it all up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from engine.clock import NS_PER_MS, NS_PER_S
from engine.exchanges.messages import HttpResponse
from engine.sim.backpack.auth import Gate
from engine.sim.backpack.markets import MARKETS
from engine.sim.backpack.rest import Rest
from engine.sim.backpack.settings import BackpackSettings
from engine.sim.backpack.state import BackpackState, next_funding_ms
from engine.sim.backpack.streams import Streams
from engine.sim.exchange import Exchange
from engine.sim.flow import Flow, open_house_accounts
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
from engine.sim.schedule import Schedule
from engine.sim.venue_market import VenueMarket

CATCH_UP_NS = 5 * NS_PER_S

FlowMaker = Callable[[Exchange, VenueMarket, int], Flow]
"""Makes the flow of one market, given the exchange, the market and the time it wakes up."""


class BackpackMachine:
    """Implements `engine.sim.machine.VenueMachine`."""

    def __init__(self, settings: BackpackSettings, make_flow: FlowMaker | None) -> None:
        self._make_flow = make_flow
        self._schedule = Schedule()
        self._out: list[Outbound] = []
        self._awake: dict[str, VenueMarket] = {}
        self._now_ns: int | None = None
        self._streams = Streams(self._send, self._schedule)
        self.exchange = Exchange(MARKETS, self._streams)
        open_house_accounts(self.exchange)
        self._state = BackpackState(self.exchange, settings, self._stir)
        gate = Gate(self._state)
        self._streams.attach(self._state, gate)
        self._rest = Rest(self._state, gate, self._schedule)

    def open_account(self, name: str, api_key: str, balances: Mapping[str, Decimal]) -> None:
        """Let an account in: its key, and what it owns at the start."""
        self._state.accounts_by_key[api_key] = name
        self.exchange.open_account(name, balances)

    @property
    def next_wake_ns(self) -> int | None:
        return self._schedule.next_ns

    def handle(self, message: Inbound, now_ns: int) -> list[Outbound]:
        self._advance(now_ns)
        match message:
            case HttpReceived(request_id=request_id, request=request):
                self._rest.answer(request, now_ns, lambda response: self._reply(request_id, response))
            case SocketOpened(socket_id=socket_id):
                self._streams.opened(socket_id)
            case SocketReceived(socket_id=socket_id, text=text):
                self._streams.received(socket_id, text)
            case SocketClosed(socket_id=socket_id):
                self._streams.closed(socket_id)
        self._show_books()
        return self._take_out()

    def wake(self, now_ns: int) -> list[Outbound]:
        self._advance(now_ns)
        return self._take_out()

    def _advance(self, now_ns: int) -> None:
        """Do everything that is due, each at its own time, and let the clock stand at now."""
        if self._now_ns is None:
            self._schedule.at(now_ns - now_ns % NS_PER_S + NS_PER_S, self._second_passed)
            self._schedule.at(next_funding_ms(now_ns) * NS_PER_MS, self._funding_due)
        while (due := self._schedule.take_due(now_ns)) is not None:
            due_ns, task = due
            self._set_clock(max(due_ns, now_ns - CATCH_UP_NS))
            task(self._streams.now_ns)
            self._show_books()
        self._set_clock(now_ns)

    def _set_clock(self, now_ns: int) -> None:
        self._now_ns = self._streams.now_ns = now_ns

    def _second_passed(self, now_ns: int) -> None:
        self._streams.second_passed(now_ns)
        self._schedule.at(now_ns - now_ns % NS_PER_S + NS_PER_S, self._second_passed)

    def _funding_due(self, now_ns: int) -> None:
        self._state.settle_funding(now_ns)
        self._schedule.at(next_funding_ms(now_ns) * NS_PER_MS, self._funding_due)

    def _stir(self, symbol: str, now_ns: int) -> None:
        """Wake a market up when it is first asked for; its book is there before the asker is answered."""
        if symbol in self._awake:
            return
        at = self._awake[symbol] = self.exchange.markets[symbol]
        if self._make_flow is not None:
            self._step_flow(self._make_flow(self.exchange, at, now_ns), now_ns)
            self._show_books()

    def _step_flow(self, flow: Flow, now_ns: int) -> None:
        flow.step(now_ns)
        self._schedule.at(flow.next_ns, lambda at_ns: self._step_flow(flow, at_ns))

    def _show_books(self) -> None:
        """Tell listeners of every book that changed since last shown, as one numbered update each."""
        for at in self._awake.values():
            changes = at.advance()
            if changes is not None:
                self._streams.book_changed(at, *changes)

    def _reply(self, request_id: int, response: HttpResponse) -> None:
        self._out.append(HttpAnswered(request_id=request_id, response=response))

    def _send(self, socket_id: int, text: str) -> None:
        self._out.append(SocketSent(socket_id=socket_id, text=text))

    def _take_out(self) -> list[Outbound]:
        out, self._out = self._out, []
        return out
