"""A hedging machine on a test bench: two legs, fed by hand. Used by tests/trading and tests/strategies."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.clock import NS_PER_S
from engine.model.account import Balance, Position
from engine.model.commands import Command, SubmitOrder
from engine.model.events import (
    BalancesReported,
    BookLost,
    BookUpdated,
    Event,
    FillsReported,
    LegConnected,
    LegDisconnected,
    OpenOrdersReported,
    OrderFilled,
    OrderHistoryReported,
    OrderUpdated,
    OutcomeUnknown,
    PositionReported,
    SubmitRejected,
    TimePassed,
)
from engine.model.order import Operation, OrderRequest, OrderStatus, RejectReason, Side
from engine.spec.types import BotSpec, LegSpec, StopPolicy, StrategySpec
from engine.trading.hedging import HedgeStatus
from engine.trading.machine import Machine
from engine.trading.records import Budget, FillRecord, Memory, Note, OrderRecord, RunRecord, Step, TallyRecord
from tests.trading.desk_bench import PERP, PLENTY, START_NS, bot_spec, fill_of, report_of, setup_of

MAKER, HEDGE = "maker", "hedge"
MARKETS = {
    MAKER: PERP,
    HEDGE: replace(PERP, venue="paradex", symbol="SOL-USD-PERP", lot_size=Decimal("0.1"), min_size=Decimal("0.1")),
}
PARAMETERS: dict[str, Any] = {
    "order_size": "1",
    "offset_ticks": 0,
    "min_edge_bps": None,
    "requote_threshold_ticks": 0,
    "refill_below": None,
    "hedge_slippage_bps": "10",
    "hedge_leverage": "1",
    "max_unhedged": "2.5",
    "escalate_after_s": "5",
}


def hedge_spec(*, stop_policy: StopPolicy = StopPolicy.KEEP, max_position: int = 5, **changes: Any) -> BotSpec:
    limits = {name: changes.pop(name) for name in list(changes) if name.startswith("max_order")}
    spec = bot_spec(stop_policy=stop_policy, max_position=Decimal(max_position), **limits)
    legs = {
        MAKER: LegSpec(venue="backpack", account="a", market="SOL_USDC_PERP"),
        HEDGE: LegSpec(venue="paradex", account="b", market="SOL-USD-PERP"),
    }
    strategy = StrategySpec(kind="maker_taker_hedge", parameters={**PARAMETERS, **changes})
    return replace(spec, legs=legs, strategy=strategy)


@dataclass
class HedgeBench:
    """One machine, the clock it is told, and everything it has asked for and recorded so far."""

    spec: BotSpec = field(default_factory=hedge_spec)
    memory: Memory = field(default_factory=Memory)
    now_ns: int = START_NS
    orders: dict[tuple[str, int], OrderRecord] = field(default_factory=dict)
    fills: list[FillRecord] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    runs: dict[str, RunRecord] = field(default_factory=dict)
    tallies: dict[str, TallyRecord] = field(default_factory=dict)
    trades: int = 0

    def __post_init__(self) -> None:
        setups = {name: replace(setup_of(market), leg=name) for name, market in MARKETS.items()}
        self.machine = Machine(legs=setups, spec=self.spec, memory=self.memory)
        self.fills += self.memory.fills
        self.runs |= {run.leg: run for run in self.memory.runs}
        self.tallies |= {tally.leg: tally for tally in self.memory.tallies}
        self.budgets = {MAKER: PLENTY, HEDGE: PLENTY}
        self.free = Decimal(100_000)

    # Feeding it ---------------------------------------------------------------------------------------------

    def feed(self, event: Event) -> list[Command]:
        return self._keep(self.machine.step(event, self.budgets))

    def wait(self, seconds: float) -> list[Command]:
        self.now_ns += round(seconds * NS_PER_S)
        return self.feed(TimePassed(at_ns=self.now_ns, leg=""))

    def ready(self, leg: str) -> list[Command]:
        """One leg's account stream comes up, its round is answered, its book is there."""
        self.feed(LegConnected(at_ns=self.now_ns, leg=leg))
        return self.answer(leg) + self.book(leg)

    def answer(self, leg: str) -> list[Command]:
        """The whole round of one leg: nothing rests, nothing new."""
        asked_ns = self._later()
        at: dict[str, Any] = {"at_ns": self.now_ns, "leg": leg, "requested_ns": asked_ns}
        commands = self.feed(OrderHistoryReported(since_ns=0, orders=(), **at))
        commands += self.feed(FillsReported(since_ns=0, fills=(), **at))
        commands += self.feed(PositionReported(position=Position(lots=self.position_lots(leg)), **at))
        balance = Balance(asset="USDC", total=self.free, available=self.free)
        commands += self.feed(BalancesReported(balances=(balance,), **at))
        return commands + self.feed(OpenOrdersReported(orders=(), **at))

    def book(self, leg: str, bid: int = 9_990, ask: int = 10_010) -> list[Command]:
        self._later()
        return self.feed(BookUpdated(at_ns=self.now_ns, leg=leg, bids=((bid, 500),), asks=((ask, 500),)))

    def quoting(self) -> dict[Side, OrderRequest]:
        """Both legs ready, both quotes sent and accepted."""
        self.ready(HEDGE)
        quotes = {request.side: request for request in sent_on(MAKER, self.ready(MAKER))}
        for request in quotes.values():
            self.update(request, OrderStatus.RESTING)
        return quotes

    def update(self, request: OrderRequest, status: OrderStatus, executed_lots: int = 0) -> list[Command]:
        self._later()
        report = report_of(request, status, executed_lots)
        return self.feed(OrderUpdated(at_ns=self.now_ns, leg=request.leg, report=report))

    def fill(self, request: OrderRequest, lots: int) -> list[Command]:
        self._later()
        self.trades += 1
        fill = fill_of(request, lots, f"t{self.trades}", at_ns=self.now_ns)
        return self.feed(OrderFilled(at_ns=self.now_ns, leg=request.leg, fill=fill))

    def refuse(
        self, request: OrderRequest, reason: RejectReason = RejectReason.INSUFFICIENT_FUNDS
    ) -> list[Command]:
        self._later()
        return self.feed(
            SubmitRejected(at_ns=self.now_ns, leg=request.leg, client_id=request.client_id, reason=reason)
        )

    def lose(self, request: OrderRequest) -> list[Command]:
        """No answer came to an order."""
        self._later()
        return self.feed(
            OutcomeUnknown(
                at_ns=self.now_ns,
                leg=request.leg,
                client_id=request.client_id,
                operation=Operation.SUBMIT,
                why="timeout",
            )
        )

    def lose_book(self, leg: str) -> list[Command]:
        return self.feed(BookLost(at_ns=self._later(), leg=leg, reason="gap"))

    def disconnect(self, leg: str) -> list[Command]:
        return self.feed(LegDisconnected(at_ns=self._later(), leg=leg, reason="gone"))

    # Looking at it ------------------------------------------------------------------------------------------

    @property
    def hedge(self) -> HedgeStatus:
        status = self.machine.status().hedge
        assert status is not None
        return status

    @property
    def why_not(self) -> str:
        """Why the maker leg does not quote."""
        return self.machine.status().legs[MAKER].why_not

    def position_lots(self, leg: str) -> int:
        return sum(record.fill.lots * record.fill.side.sign for record in self.fills if record.leg == leg)

    def live(self, leg: str) -> list[OrderRecord]:
        return [record for record in self.orders.values() if record.request.leg == leg and not record.state.is_done]

    def restarted(self) -> HedgeBench:
        """The same bot after kill -9: a new machine from what the records say."""
        memory = Memory(
            orders=tuple(record for record in self.orders.values() if not record.state.is_done),
            fills=tuple(self.fills),
            runs=tuple(self.runs.values()),
            tallies=tuple(self.tallies.values()),
            next_sequence=len(self.orders),
        )
        return HedgeBench(spec=self.spec, memory=memory, now_ns=self.now_ns + NS_PER_S, trades=self.trades)

    def _later(self) -> int:
        before_ns, self.now_ns = self.now_ns, self.now_ns + 1_000_000
        return before_ns

    def _keep(self, step: Step) -> list[Command]:
        for record in step.records:
            if isinstance(record, OrderRecord):
                self.orders[record.request.leg, record.request.client_id] = record
            elif isinstance(record, FillRecord):
                self.fills.append(record)
            elif isinstance(record, RunRecord):
                self.runs[record.leg] = record
            elif isinstance(record, TallyRecord):
                self.tallies[record.leg] = record
            else:
                self.notes.append(record)
        return list(step.commands)


def sent_on(leg: str, commands: list[Command]) -> list[OrderRequest]:
    return [
        command.order.request for command in commands if isinstance(command, SubmitOrder) and command.leg == leg
    ]


def only_hedge(commands: list[Command]) -> OrderRequest:
    """The one order on the hedge leg."""
    (request,) = sent_on(HEDGE, commands)
    return request


NOTHING_LEFT = Budget(reduce=0, cancel=0, place=0)
