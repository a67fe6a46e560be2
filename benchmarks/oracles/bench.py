"""One machine and a market that does to it what a venue may do: fills in pieces, news out of order, and a process
that dies. Used by the oracles; there is no book, matching or latency here, only the order's own life."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

from engine.clock import NS_PER_MS, NS_PER_S
from engine.model.account import Fill, Position
from engine.model.commands import CancelOrder, Command, SubmitOrder
from engine.model.events import (
    BookUpdated,
    Event,
    FillsReported,
    LegConnected,
    OpenOrdersReported,
    OrderFilled,
    OrderHistoryReported,
    OrderUpdated,
    PositionReported,
)
from engine.model.ids import ClientIdScheme
from engine.model.instrument import Instrument, MarketKind
from engine.model.order import Liquidity, OrderReport, OrderRequest, OrderStatus, Side
from engine.spec.types import BotSpec, LegSpec, ProcessSpec, RiskSpec, StopPolicy, StrategySpec
from engine.trading.leg import LegSetup
from engine.trading.machine import Machine
from engine.trading.records import Budget, FillRecord, Memory, OrderRecord, Step

LEG = "main"
PLENTY = Budget(reduce=10_000, cancel=10_000, place=10_000)
MOST_PIECES = 4
RESTARTS = 0.05
"""Share of crossings after which the process dies."""


class Bench:
    """A grid on one market, and every order of it that rests."""

    def __init__(self, instrument: Instrument, parameters: Mapping[str, object], random: Random) -> None:
        self._instrument, self._random = instrument, random
        self._spec = _spec(instrument, parameters)
        self._now_ns = 1_000 * NS_PER_S
        self._resting: dict[int, OrderRequest] = {}
        self._orders: dict[int, OrderRecord] = {}
        self._fills: list[FillRecord] = []
        self._sequence = self._trades = 0
        self._machine = self._new_machine()

    @property
    def profit(self) -> Decimal:
        """Realised and unrealised, marked at the last level crossed."""
        status = self._machine.status().legs[LEG]
        assert status.unrealised_pnl is not None
        return status.realised_pnl + status.unrealised_pnl

    @property
    def resting(self) -> set[tuple[Side, int, int]]:
        """Side, ticks and lots of everything that rests."""
        return {(order.side, order.ticks, order.lots) for order in self._resting.values()}

    def start(self, ticks: int) -> None:
        """Connect and show a market whose mid is on this tick."""
        self._connect()
        self._show(ticks)

    def cross(self, ticks: int) -> None:
        """The market moves to a level, and fills whole what rests there."""
        for request in [order for order in self._resting.values() if order.ticks == ticks]:
            self._fill_whole(request)
        self._show(ticks)
        if self._random.random() < RESTARTS:
            self._machine = self._new_machine()
            self.start(ticks)

    # The market ---------------------------------------------------------------------------------------------

    def _show(self, ticks: int) -> None:
        self._feed(BookUpdated(at_ns=self._tick(), leg=LEG, bids=((ticks - 1, 1),), asks=((ticks + 1, 1),)))

    def _fill_whole(self, request: OrderRequest) -> None:
        """In pieces; the order's own news before, between or after them."""
        del self._resting[request.client_id]
        news: list[Event] = [self._fill(request, lots) for lots in self._pieces(request.lots)]
        news.insert(self._random.randint(0, len(news)), self._update(request, OrderStatus.FILLED, request.lots))
        for event in news:
            self._feed(event)

    def _pieces(self, lots: int) -> Iterable[int]:
        cuts = {self._random.randint(0, lots) for _ in range(MOST_PIECES - 1)} | {0, lots}
        edges = sorted(cuts)
        return [high - low for low, high in pairwise(edges)]

    def _fill(self, request: OrderRequest, lots: int) -> OrderFilled:
        self._trades += 1
        fill = Fill(
            trade_id=f"t{self._trades}",
            venue_order_id=f"v{request.client_id}",
            client_id=request.client_id,
            side=request.side,
            ticks=request.ticks,
            lots=lots,
            fee=Decimal(0),
            fee_asset="USDC",
            liquidity=Liquidity.MAKER,
            at_ns=self._tick(),
        )
        return OrderFilled(at_ns=self._now_ns, leg=LEG, fill=fill)

    def _update(self, request: OrderRequest, status: OrderStatus, executed_lots: int) -> OrderUpdated:
        report = _report(request, status, executed_lots)
        return OrderUpdated(at_ns=self._tick(), leg=LEG, report=report)

    # The machine --------------------------------------------------------------------------------------------

    def _new_machine(self) -> Machine:
        """As after a restart: nothing is known but what the records say."""
        setup = LegSetup(
            leg=LEG,
            instrument=self._instrument,
            client_ids=ClientIdScheme(tag_bits=8, sequence_bits=24),
            tag=7,
            send_lifetime_ns=5 * NS_PER_S,
        )
        live = tuple(record for record in self._orders.values() if not record.state.is_done)
        memory = Memory(orders=live, fills=tuple(self._fills), next_sequence=self._sequence)
        return Machine(legs={LEG: setup}, spec=self._spec, memory=memory)

    def _connect(self) -> None:
        self._feed(LegConnected(at_ns=self._tick(), leg=LEG))
        at: dict[str, Any] = {"leg": LEG, "requested_ns": self._now_ns, "at_ns": self._tick()}
        open_orders = tuple(_report(request, OrderStatus.RESTING, 0) for request in self._resting.values())
        position = sum(record.fill.lots * record.fill.side.sign for record in self._fills)
        answers: list[Event] = [
            OrderHistoryReported(since_ns=0, orders=(), **at),
            FillsReported(since_ns=0, fills=(), **at),
        ]
        if self._instrument.kind is MarketKind.PERP:
            answers.append(PositionReported(position=Position(lots=position), **at))
        for answer in (*answers, OpenOrdersReported(orders=open_orders, **at)):
            self._feed(answer)

    def _feed(self, event: Event) -> None:
        step = self._machine.step(event, {LEG: PLENTY})
        self._keep(step)
        for command in step.commands:
            self._obey(command)

    def _keep(self, step: Step) -> None:
        for record in step.records:
            if isinstance(record, OrderRecord):
                self._orders[record.request.client_id] = record
            elif isinstance(record, FillRecord):
                self._fills.append(record)

    def _obey(self, command: Command) -> None:
        """Everything is taken as asked; a grid inside its range has no reason ever to cancel."""
        assert not isinstance(command, CancelOrder), "a grid's orders never move"
        if isinstance(command, SubmitOrder):
            request = command.order.request
            self._sequence += 1
            self._resting[request.client_id] = request
            self._feed(self._update(request, OrderStatus.RESTING, 0))

    def _tick(self) -> int:
        self._now_ns += NS_PER_MS // 10
        return self._now_ns


def _report(request: OrderRequest, status: OrderStatus, executed_lots: int) -> OrderReport:
    return OrderReport(
        venue_order_id=f"v{request.client_id}",
        client_id=request.client_id,
        side=request.side,
        ticks=request.ticks,
        lots=request.lots,
        executed_lots=executed_lots,
        status=status,
    )


def _spec(instrument: Instrument, parameters: Mapping[str, object]) -> BotSpec:
    perp = instrument.kind is MarketKind.PERP
    return BotSpec(
        name="oracle",
        labels={},
        enabled=True,
        legs={LEG: LegSpec(venue=instrument.venue, account="a", market=instrument.symbol)},
        accounts={},
        strategy=StrategySpec(kind="perp_grid" if perp else "grid", parameters=dict(parameters)),
        risk=RiskSpec(
            max_position=None,
            max_open_notional_usd=None,
            max_order_notional_usd=None,
            max_orders_per_minute=1_000_000,
            price_band_bps=Decimal(10_000),
            max_data_age_s=Decimal(10),
        ),
        process=ProcessSpec(
            stop_policy=StopPolicy.KEEP, stop_timeout_s=Decimal(10), duration_s=None, log_level="info"
        ),
    )
