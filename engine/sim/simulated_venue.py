"""What every simulated venue does alike: its clock, its markets' background flow, and what it has to say.

A venue's machine derives from `SimulatedVenue` and adds only how it answers a request. A market sleeps until
somebody asks for it by name; from then on its flow runs. Flow that fell behind by more than CATCH_UP_NS (a laptop
that slept) goes on from now instead of making it all up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Protocol

from engine.clock import NS_PER_S
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.sim.exchange import Exchange, Listener
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
from engine.sim.market import Market
from engine.sim.matching import Level
from engine.sim.schedule import Schedule
from engine.sim.venue_market import VenueMarket

CATCH_UP_NS = 5 * NS_PER_S

FlowMaker = Callable[[Exchange, VenueMarket, int], Flow]
"""Makes the flow of one market, given the exchange, the market and the time it wakes up."""
Reply = Callable[[HttpResponse], None]


class VenueStreams(Listener, Protocol):
    """A venue's sockets. `now_ns` is set by the machine before anything happens."""

    now_ns: int

    def opened(self, socket_id: int, target: str) -> None: ...

    def received(self, socket_id: int, text: str) -> None: ...

    def closed(self, socket_id: int) -> None: ...

    def book_changed(self, at: VenueMarket, bids: list[Level], asks: list[Level]) -> None:
        """One numbered update of a market's book."""

    def second_passed(self, now_ns: int) -> None: ...


class SimulatedVenue(ABC):
    """Implements `engine.sim.machine.VenueMachine` but for `answer` and `begin`."""

    def __init__(
        self,
        markets: Iterable[Market],
        streams: VenueStreams,
        schedule: Schedule,
        outbox: list[Outbound],
        make_flow: FlowMaker | None,
    ) -> None:
        self._make_flow = make_flow
        self._schedule = schedule
        self._out = outbox
        self._awake: dict[str, VenueMarket] = {}
        self._now_ns: int | None = None
        self._streams = streams
        self.exchange = Exchange(markets, streams)
        open_house_accounts(self.exchange)

    @abstractmethod
    def answer(self, request: HttpRequest, now_ns: int, reply: Reply) -> None:
        """Call `reply` once, now or when the venue gets to it."""

    @abstractmethod
    def begin(self, now_ns: int) -> None:
        """Schedule what the venue does by itself; called before the first thing happens."""

    @property
    def next_wake_ns(self) -> int | None:
        return self._schedule.next_ns

    def handle(self, message: Inbound, now_ns: int) -> list[Outbound]:
        self._advance(now_ns)
        match message:
            case HttpReceived(request_id=request_id, request=request):
                self.answer(request, now_ns, lambda response: self._reply(request_id, response))
            case SocketOpened(socket_id=socket_id, target=target):
                self._streams.opened(socket_id, target)
            case SocketReceived(socket_id=socket_id, text=text):
                self._streams.received(socket_id, text)
            case SocketClosed(socket_id=socket_id):
                self._streams.closed(socket_id)
        self._show_books()
        return self._take_out()

    def wake(self, now_ns: int) -> list[Outbound]:
        self._advance(now_ns)
        return self._take_out()

    def stir(self, symbol: str, now_ns: int) -> None:
        """Wake a market up when it is first asked for; its book is there before the asker is answered."""
        if symbol in self._awake:
            return
        at = self._awake[symbol] = self.exchange.markets[symbol]
        if self._make_flow is not None:
            self._step_flow(self._make_flow(self.exchange, at, now_ns), now_ns)
            self._show_books()

    def _advance(self, now_ns: int) -> None:
        """Do everything that is due, each at its own time, and let the clock stand at now."""
        if self._now_ns is None:
            self._schedule.at(now_ns - now_ns % NS_PER_S + NS_PER_S, self._second_passed)
            self.begin(now_ns)
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

    def _take_out(self) -> list[Outbound]:
        out = list(self._out)
        self._out.clear()
        return out


def sender(outbox: list[Outbound]) -> Callable[[int, str], None]:
    """How a venue's streams put a frame for a socket into its outbox."""
    return lambda socket_id, text: outbox.append(SocketSent(socket_id=socket_id, text=text))
