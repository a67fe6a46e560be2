"""The simulated Backpack as one pure machine: messages and time in, messages out. See `engine.sim.machine`.

`engine.sim.venues` builds one from a fleet's SimSpec. Tests may look inside: `machine.exchange` tells open orders,
fills, balances and positions of an account by its name, as the venue itself knows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from engine.clock import NS_PER_MS
from engine.exchanges.messages import HttpRequest
from engine.sim.backpack.auth import Gate
from engine.sim.backpack.markets import MARKETS
from engine.sim.backpack.rest import Rest
from engine.sim.backpack.settings import BackpackSettings
from engine.sim.backpack.state import BackpackState, next_funding_ms
from engine.sim.backpack.streams import Streams
from engine.sim.machine import Outbound
from engine.sim.schedule import Schedule
from engine.sim.simulated_venue import FlowMaker, Reply, SimulatedVenue, sender


class BackpackMachine(SimulatedVenue):
    """Implements `engine.sim.machine.VenueMachine`."""

    def __init__(self, settings: BackpackSettings, make_flow: FlowMaker | None) -> None:
        outbox: list[Outbound] = []
        schedule = Schedule()
        streams = Streams(sender(outbox), schedule)
        super().__init__(MARKETS, streams, schedule, outbox, make_flow)
        self._state = BackpackState(self.exchange, settings, self.stir)
        gate = Gate(self._state)
        streams.attach(self._state, gate)
        self._rest = Rest(self._state, gate, schedule)

    def open_account(self, name: str, api_key: str, balances: Mapping[str, Decimal]) -> None:
        """Let an account in: its key, and what it owns at the start."""
        self._state.accounts_by_key[api_key] = name
        self.exchange.open_account(name, balances)

    def answer(self, request: HttpRequest, now_ns: int, reply: Reply) -> None:
        self._rest.answer(request, now_ns, reply)

    def begin(self, now_ns: int) -> None:
        self._schedule.at(next_funding_ms(now_ns) * NS_PER_MS, self._funding_due)

    def _funding_due(self, now_ns: int) -> None:
        self._state.settle_funding(now_ns)
        self._schedule.at(next_funding_ms(now_ns) * NS_PER_MS, self._funding_due)
