"""What a step leaves for the journal, and what a journal gives back. The runtime commits a step's records
before any of its commands leaves the process (law 4)."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import StrEnum

from engine.model.account import Fill, FundingPayment
from engine.model.commands import Command
from engine.model.instrument import Instrument
from engine.model.order import OrderRequest
from engine.model.value import Message, Value
from engine.risk.stops import Stops
from engine.trading.durations import DurationCounts

UNCOUNTED = 1_000_000
"""More than leaves in one step: for what nothing counts."""


class OrderState(StrEnum):
    """Where an order stands in our view; the table of moves is in `lifecycle`."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    AMEND_PENDING = "amend pending"
    CANCEL_PENDING = "cancel pending"
    CLOSING = "closing"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNRESOLVED = "unresolved"

    @property
    def is_done(self) -> bool:
        return self in (OrderState.FILLED, OrderState.CANCELED, OrderState.REJECTED, OrderState.EXPIRED)


class OrderRecord(Message, frozen=True, kw_only=True):
    """One order as we believe it stands; the newest row per (leg, client_id) counts.

    `executed_lots` is the highest cumulative figure the venue gave, `filled_lots` the sum of its fills: the
    truth is the larger one, and an order is only done when both agree.
    """

    request: OrderRequest
    state: OrderState
    venue_order_id: str | None
    executed_lots: int
    filled_lots: int
    submitted_ns: int
    dead_after_ns: int
    updated_ns: int
    final: OrderState | None = None
    """What a closing or cancelling order will be once its fills have arrived."""
    amended: OrderRequest | None = None
    """The other terms it may have by now: an amend was sent, and what became of it is not known."""
    reported_ns: int = 0
    """The venue's own time of the newest report."""
    reason: str = ""


class FillRecord(Message, frozen=True, kw_only=True):
    """One own fill, with the slot of the order it belongs to; unique per (leg, trade_id, venue_order_id)."""

    leg: str
    slot: str
    fill: Fill


class FundingRecord(Message, frozen=True, kw_only=True):
    """One funding payment, and the part of it that is the bot's own; unique per (leg, payment id).

    `after_fills`: how many fills of the leg were counted before it, so that books are replayed in the same order.
    """

    leg: str
    payment: FundingPayment
    own: Decimal
    after_fills: int


class MemoRecord(Message, frozen=True, kw_only=True):
    """What a leg's strategy wants to be shown again; the newest per leg counts."""

    leg: str
    memo: str


class IgnoredRecord(Message, frozen=True, kw_only=True):
    """How much of the venue's position on a leg is not the bot's, signed; the newest per leg counts. A person said
    so at `at_ns`."""

    leg: str
    lots: int
    at_ns: int


class RunRecord(Message, frozen=True, kw_only=True):
    """One life of the bot on one market, written in its first step; the newest per leg counts. `number` counts
    from 1, `first_ns` is when the first of them began, `counted_before` how many fills and payments were known
    before this one.

    The instrument makes sizes and prices of the counts and fills, for readers from outside."""

    leg: str
    number: int
    first_ns: int
    started_ns: int
    counted_before: int
    instrument: Instrument


class TallyCounts(Value, frozen=True, kw_only=True):
    """Counts and times of one span, by the names that `tally` gives them."""

    counts: dict[str, int] = {}
    durations: dict[str, DurationCounts] = {}


class TallyRecord(Message, frozen=True, kw_only=True):
    """What `tally` has counted of a leg, over all its lives and in this one; the newest per leg counts."""

    leg: str
    total: TallyCounts
    run: TallyCounts


class Note(Message, frozen=True, kw_only=True):
    """One line of the audit: what was decided, and why, as constant words plus facts."""

    at_ns: int
    leg: str
    what: str
    facts: dict[str, str | int | float | bool | None] = {}
    alarm: bool = False
    """Somebody should look at it."""


Record = (
    OrderRecord | FillRecord | FundingRecord | MemoRecord | RunRecord | TallyRecord | IgnoredRecord | Stops | Note
)


class Step(Value, frozen=True, kw_only=True):
    """What one event led to. Records are committed first, then commands leave, in order.

    `wake_ns`: send a TimePassed no later than this; None when nothing is due. `waiting`: legs that had more to
    change than the `changes` of their budget, and want to be told the time when there is room again.
    """

    commands: tuple[Command, ...] = ()
    records: tuple[Record, ...] = ()
    wake_ns: int | None = None
    waiting: tuple[str, ...] = ()


class Budget(Value, frozen=True, kw_only=True):
    """How many commands may leave now, by priority; the step emits only what fits (pulled pacing).

    `rounds`: how many rounds of questions may be asked. One takes the place of `round_size` other commands.
    `changes`: how many orders and cancels may be on their way at this moment, whatever the limits still allow.
    """

    reduce: int
    cancel: int
    place: int
    rounds: int = 1
    round_size: int = 4
    changes: int = UNCOUNTED


class Memory(Value, frozen=True, kw_only=True):
    """What a journal gives back at start: orders not yet done, every own fill and every payment in order, memos,
    the last run and what was counted until it ended, stops, what is ignored, and the id block.

    `next_sequence` is the first sequence number that was certainly never used.
    """

    orders: tuple[OrderRecord, ...] = ()
    fills: tuple[FillRecord, ...] = ()
    funding: tuple[FundingRecord, ...] = ()
    memos: tuple[MemoRecord, ...] = ()
    runs: tuple[RunRecord, ...] = ()
    tallies: tuple[TallyRecord, ...] = ()
    next_sequence: int = 0
    stops: Stops | None = None
    ignored: tuple[IgnoredRecord, ...] = ()


def as_counted(
    fills: Iterable[FillRecord], payments: Iterable[FundingRecord]
) -> Iterator[FillRecord | FundingRecord]:
    """What the books of all legs were made of, in the order in which each leg counted it."""
    coming: dict[str, deque[FundingRecord]] = defaultdict(deque)
    for payment in payments:
        coming[payment.leg].append(payment)
    counted: Counter[str] = Counter()
    for fill in fills:
        waiting = coming[fill.leg]
        while waiting and waiting[0].after_fills <= counted[fill.leg]:
            yield waiting.popleft()
        counted[fill.leg] += 1
        yield fill
    for waiting in coming.values():
        yield from waiting
