"""A machine on a test bench: it is fed events by hand, and what it wants is looked at. Used by tests/trading."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from engine.clock import NS_PER_S
from engine.model.account import Fill, Position
from engine.model.commands import (
    AmendOrder,
    CancelOrder,
    Command,
    QueryFills,
    QueryOpenOrders,
    QueryOrderHistory,
    QueryPosition,
    SubmitOrder,
)
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
    TimePassed,
)
from engine.model.ids import ClientIdScheme
from engine.model.instrument import Instrument, MarketKind
from engine.model.order import Liquidity, OrderReport, OrderRequest, OrderStatus, Side
from engine.risk.stops import Stops
from engine.spec.types import BotSpec, LegSpec, ProcessSpec, RiskSpec, StopPolicy, StrategySpec
from engine.trading.leg import LegSetup
from engine.trading.machine import Machine
from engine.trading.records import (
    Budget,
    FillRecord,
    FundingRecord,
    IgnoredRecord,
    MemoRecord,
    Memory,
    Note,
    OrderRecord,
    RunRecord,
    Step,
    TallyRecord,
)

LEG = "main"
TAG = 7
START_NS = 1_000 * NS_PER_S
PLENTY = Budget(reduce=100, cancel=100, place=100)

PERP = Instrument(
    venue="backpack",
    symbol="SOL_USDC_PERP",
    kind=MarketKind.PERP,
    base="SOL",
    quote="USDC",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.01"),
    min_size=Decimal("0.01"),
)
SPOT = Instrument(
    venue="backpack",
    symbol="SOL_USDC",
    kind=MarketKind.SPOT,
    base="SOL",
    quote="USDC",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.01"),
    min_size=Decimal("0.01"),
)

LAYERED: dict[str, Any] = {
    "spread_bps": "20",
    "order_size": "1",
    "layers": 1,
    "layer_step": {"bps": "5"},
    "size_profile": "equal",
    "requote_threshold_ticks": 2,
    "post_only": True,
    "refill_below": "0.5",
}
PERP_PARAMETERS = {**LAYERED, "inventory_skew": "0", "target_position": "0"}
SPOT_PARAMETERS = {
    **LAYERED,
    "capital": {"base": "10", "quote": "1000"},
    "base_target_pct": "50",
    "rebalance_threshold_pct": None,
    "rebalance_slippage_bps": "20",
}


def bot_spec(
    instrument: Instrument = PERP, *, stop_policy: StopPolicy = StopPolicy.KEEP, **changes: Any
) -> BotSpec:
    """A one-leg bot; `changes` go to the strategy's parameters or, by their names, to the limits."""
    perp = instrument.kind is MarketKind.PERP
    limits: dict[str, Any] = {
        "max_position": Decimal(5) if perp else None,
        "max_open_notional_usd": None,
        "max_order_notional_usd": None,
        "max_orders_per_minute": 600,
        "price_band_bps": Decimal(500),
        "max_data_age_s": Decimal(10),
    }
    known = RiskSpec.__struct_fields__
    budgets = changes.pop("budgets", None)
    limits |= {name: changes.pop(name) for name in list(changes) if name in known}
    return BotSpec(
        name="mm",
        labels={},
        enabled=True,
        legs={LEG: LegSpec(venue="backpack", account="a", market=instrument.symbol)},
        accounts={},
        strategy=StrategySpec(
            kind="perp_market_maker" if perp else "market_maker",
            parameters={**(PERP_PARAMETERS if perp else SPOT_PARAMETERS), **changes},
        ),
        risk=RiskSpec(**limits),
        process=ProcessSpec(stop_policy=stop_policy, stop_timeout_s=Decimal(10), duration_s=None, log_level="info"),
        budgets=budgets,
    )


@dataclass
class Bench:
    """One machine, the clock it is told, and everything it has asked for and recorded so far."""

    instrument: Instrument = PERP
    spec: BotSpec | None = None
    memory: Memory = field(default_factory=Memory)
    now_ns: int = START_NS
    can_amend: bool = False
    tells_funding: bool = False
    orders: dict[int, OrderRecord] = field(default_factory=dict)
    fills: list[FillRecord] = field(default_factory=list)
    funding: list[FundingRecord] = field(default_factory=list)
    stops: Stops | None = None
    notes: list[Note] = field(default_factory=list)
    memos: dict[str, MemoRecord] = field(default_factory=dict)
    ignored: dict[str, IgnoredRecord] = field(default_factory=dict)
    run: RunRecord | None = None
    tally: TallyRecord | None = None
    trades: int = 0

    def __post_init__(self) -> None:
        self.spec = self.spec or bot_spec(self.instrument)
        self.machine = Machine(
            legs={LEG: setup_of(self.instrument, self.can_amend, tells_funding=self.tells_funding)},
            spec=self.spec,
            memory=self.memory,
        )
        self.orders |= {record.request.client_id: record for record in self.memory.orders}
        self.fills += self.memory.fills
        self.funding += self.memory.funding
        self.stops = self.memory.stops
        self.ignored |= {record.leg: record for record in self.memory.ignored}
        self.memos |= {record.leg: record for record in self.memory.memos}
        self.run = next(iter(self.memory.runs), None)
        self.tally = next(iter(self.memory.tallies), None)

    # Feeding it ---------------------------------------------------------------------------------------------

    def feed(self, event: Event, budget: Budget = PLENTY) -> list[Command]:
        return self._keep(self.machine.step(event, {LEG: budget}))

    def wait(self, seconds: float) -> list[Command]:
        self.now_ns += round(seconds * NS_PER_S)
        return self.feed(TimePassed(at_ns=self.now_ns, leg=""))

    def connect(
        self,
        *,
        open_orders: tuple[OrderReport, ...] = (),
        history: tuple[OrderReport, ...] = (),
        fills: tuple[Fill, ...] = (),
        position_lots: int | None = None,
    ) -> list[Command]:
        """The account stream comes up and the whole round of questions is answered."""
        self.feed(LegConnected(at_ns=self.now_ns, leg=LEG))
        return self.answer(open_orders=open_orders, history=history, fills=fills, position_lots=position_lots)

    def answer(
        self,
        *,
        open_orders: tuple[OrderReport, ...] = (),
        history: tuple[OrderReport, ...] = (),
        fills: tuple[Fill, ...] = (),
        position_lots: int | None = None,
        since_ns: int = 0,
    ) -> list[Command]:
        """`since_ns` is as far back as the venue tells."""
        asked_ns, self.now_ns = self.now_ns, self.now_ns + 1_000_000
        at = {"at_ns": self.now_ns, "leg": LEG, "requested_ns": asked_ns}
        lots = self.machine_position if position_lots is None else position_lots
        commands = self.feed(OrderHistoryReported(since_ns=since_ns, orders=history, **at))
        commands += self.feed(FillsReported(since_ns=since_ns, fills=fills, **at))
        if self.instrument.kind is MarketKind.PERP:
            commands += self.feed(PositionReported(position=Position(lots=lots), **at))
        return commands + self.feed(OpenOrdersReported(orders=open_orders, **at))

    def book(self, bid: int, ask: int) -> list[Command]:
        self.now_ns += 1_000_000
        return self.feed(BookUpdated(at_ns=self.now_ns, leg=LEG, bids=((bid, 500),), asks=((ask, 500),)))

    def quoting(self, bid: int = 9_990, ask: int = 10_010) -> list[OrderRequest]:
        """Connected, a book, both quotes sent and accepted."""
        self.connect()
        sent = submitted(self.book(bid, ask))
        for request in sent:
            self.accept(request)
        return sent

    def accept(self, request: OrderRequest, executed_lots: int = 0) -> list[Command]:
        return self.update(request, OrderStatus.RESTING, executed_lots)

    def update(self, request: OrderRequest, status: OrderStatus, executed_lots: int = 0) -> list[Command]:
        self.now_ns += 1_000_000
        report = report_of(request, status, executed_lots)
        return self.feed(OrderUpdated(at_ns=self.now_ns, leg=LEG, report=report))

    def fill(self, request: OrderRequest, lots: int, trade_id: str | None = None) -> list[Command]:
        self.now_ns += 1_000_000
        self.trades += 1
        fill = fill_of(request, lots, trade_id or f"t{self.trades}", at_ns=self.now_ns)
        return self.feed(OrderFilled(at_ns=self.now_ns, leg=LEG, fill=fill))

    # Looking at it ------------------------------------------------------------------------------------------

    @property
    def status(self) -> Any:
        return self.machine.status().legs[LEG]

    @property
    def machine_position(self) -> int:
        return sum(record.fill.lots * record.fill.side.sign for record in self.fills)

    def restarted(self) -> Bench:
        """The same bot after kill -9: a new machine from what the records say."""
        sequences = [setup_of(self.instrument).client_ids.sequence_of(client_id) for client_id in self.orders]
        memory = Memory(
            orders=tuple(record for record in self.orders.values() if not record.state.is_done),
            fills=tuple(self.fills),
            funding=tuple(self.funding),
            stops=self.stops,
            memos=tuple(self.memos.values()),
            ignored=tuple(self.ignored.values()),
            runs=(self.run,) if self.run else (),
            tallies=(self.tally,) if self.tally else (),
            next_sequence=max(sequences, default=-1) + 1,
        )
        return Bench(
            instrument=self.instrument,
            spec=self.spec,
            memory=memory,
            now_ns=self.now_ns + NS_PER_S,
            can_amend=self.can_amend,
            tells_funding=self.tells_funding,
        )

    def _keep(self, step: Step) -> list[Command]:
        for record in step.records:
            if isinstance(record, OrderRecord):
                self.orders[record.request.client_id] = record
            elif isinstance(record, FillRecord):
                self.fills.append(record)
            elif isinstance(record, FundingRecord):
                self.funding.append(record)
            elif isinstance(record, MemoRecord):
                self.memos[record.leg] = record
            elif isinstance(record, Stops):
                self.stops = record
            elif isinstance(record, IgnoredRecord):
                self.ignored[record.leg] = record
            elif isinstance(record, RunRecord):
                self.run = record
            elif isinstance(record, TallyRecord):
                self.tally = record
            else:
                self.notes.append(record)
        return list(step.commands)


def setup_of(instrument: Instrument, can_amend: bool = False, *, tells_funding: bool = False) -> LegSetup:
    return LegSetup(
        leg=LEG,
        instrument=instrument,
        client_ids=ClientIdScheme(tag_bits=8, sequence_bits=24),
        tag=TAG,
        send_lifetime_ns=5 * NS_PER_S,
        can_amend=can_amend,
        tells_funding=tells_funding,
    )


def submitted(commands: list[Command]) -> list[OrderRequest]:
    return [command.order.request for command in commands if isinstance(command, SubmitOrder)]


def amended(commands: list[Command]) -> list[AmendOrder]:
    return [command for command in commands if isinstance(command, AmendOrder)]


def canceled(commands: list[Command]) -> list[int]:
    return [command.client_id for command in commands if isinstance(command, CancelOrder)]


def asked(commands: list[Command]) -> bool:
    """Whether a whole round of questions was asked."""
    kinds = {type(command) for command in commands}
    return {QueryOpenOrders, QueryOrderHistory, QueryFills} <= kinds and kinds <= {
        QueryOpenOrders,
        QueryOrderHistory,
        QueryFills,
        QueryPosition,
    }


def report_of(
    request: OrderRequest, status: OrderStatus, executed_lots: int = 0, *, updated_ns: int = 0
) -> OrderReport:
    return OrderReport(
        venue_order_id=f"v{request.client_id}",
        client_id=request.client_id,
        side=request.side,
        ticks=request.ticks,
        lots=request.lots,
        executed_lots=executed_lots,
        status=status,
        updated_ns=updated_ns,
    )


def fill_of(request: OrderRequest, lots: int, trade_id: str, *, at_ns: int = START_NS) -> Fill:
    return Fill(
        trade_id=trade_id,
        venue_order_id=f"v{request.client_id}",
        client_id=request.client_id,
        side=request.side,
        ticks=request.ticks,
        lots=lots,
        fee=Decimal("0.01"),
        fee_asset="USDC",
        liquidity=Liquidity.MAKER,
        at_ns=at_ns,
    )


def side_of(requests: list[OrderRequest], side: Side) -> OrderRequest:
    return next(request for request in requests if request.side is side)
