"""What every simulated venue's machine does alike: keeps the clock, does what is due, wakes markets, shows books.

A venue's machine (`backpack.venue`, `paradex.venue`) adds its wire. A market sleeps until somebody asks for it by
name; from then on its flow runs. Flow that fell behind by more than CATCH_UP_NS (a laptop that slept) goes on from
now instead of making it all up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

from engine.clock import NS_PER_S
from engine.exchanges.messages import HttpResponse
from engine.sim.exchange import Exchange, Listener
from engine.sim.flow import Flow, open_house_accounts
from engine.sim.machine import HttpAnswered, Inbound, Outbound, SocketSent
from engine.sim.market import Market
from engine.sim.matching import Level
from engine.sim.schedule import Schedule
from engine.sim.venue_market import VenueMarket

CATCH_UP_NS = 5 * NS_PER_S

FlowMaker = Callable[[Exchange, VenueMarket, int], Flow]
"""Makes the flow of one market, given the exchange, the market and the time it wakes up."""


class MarketMachine(ABC):
    """Implements `engine.sim.machine.VenueMachine` but for what a venue says and hears."""

    def __init__(
        self, markets: Iterable[Market], listener: Listener, schedule: Schedule, make_flow: FlowMaker | None
    ) -> None:
        self.exchange = Exchange(markets, listener)
        open_house_accounts(self.exchange)
        self._schedule = schedule
        self._make_flow = make_flow
        self._out: list[Outbound] = []
        self._awake: dict[str, VenueMarket] = {}
        self._now_ns: int | None = None

    # What a venue adds ---------------------------------------------------------------------------------

    @abstractmethod
    def _take(self, message: Inbound, now_ns: int) -> None:
        """Carry out one message."""

    @abstractmethod
    def _clock_set(self, now_ns: int) -> None:
        """Whatever happens next happens now."""

    @abstractmethod
    def _started(self, now_ns: int) -> None:
        """The first moment of all: schedule what comes at intervals."""

    @abstractmethod
    def _book_changed(self, at: VenueMarket, bids: list[Level], asks: list[Level]) -> None:
        """A book changed since it was last shown; `at.update_id` numbers the change."""

    # The machine ---------------------------------------------------------------------------------------

    @property
    def next_wake_ns(self) -> int | None:
        return self._schedule.next_ns

    def handle(self, message: Inbound, now_ns: int) -> list[Outbound]:
        self._advance(now_ns)
        self._take(message, now_ns)
        self._show_books()
        return self._take_out()

    def wake(self, now_ns: int) -> list[Outbound]:
        self._advance(now_ns)
        return self._take_out()

    def _advance(self, now_ns: int) -> None:
        """Do everything that is due, each at its own time, and let the clock stand at now."""
        if self._now_ns is None:
            self._started(now_ns)
        while (due := self._schedule.take_due(now_ns)) is not None:
            due_ns, task = due
            at_ns = max(due_ns, now_ns - CATCH_UP_NS)
            self._set_clock(at_ns)
            task(at_ns)
            self._show_books()
        self._set_clock(now_ns)

    def _set_clock(self, now_ns: int) -> None:
        self._now_ns = now_ns
        self._clock_set(now_ns)

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
        """Tell of every book that changed since last shown, as one numbered update each."""
        for at in self._awake.values():
            changes = at.advance()
            if changes is not None:
                self._book_changed(at, *changes)

    def _reply(self, request_id: int, response: HttpResponse) -> None:
        self._out.append(HttpAnswered(request_id=request_id, response=response))

    def _send(self, socket_id: int, text: str) -> None:
        self._out.append(SocketSent(socket_id=socket_id, text=text))

    def _take_out(self) -> list[Outbound]:
        out, self._out = self._out, []
        return out
