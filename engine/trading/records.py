"""What a step leaves for the journal, and what a journal gives back. The runtime commits a step's records
before any of its commands leaves the process (law 4)."""

from __future__ import annotations

from enum import StrEnum

from engine.model.account import Fill
from engine.model.commands import Command
from engine.model.order import OrderRequest
from engine.model.value import Message, Value
from engine.risk.stops import Stops

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


class Note(Message, frozen=True, kw_only=True):
    """One line of the audit: what was decided, and why, as constant words plus facts."""

    at_ns: int
    leg: str
    what: str
    facts: dict[str, str | int | float | bool | None] = {}
    alarm: bool = False
    """Somebody should look at it."""


Record = OrderRecord | FillRecord | MemoRecord | IgnoredRecord | Stops | Note


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
    """What a journal gives back at start: orders not yet done, every own fill in order, memos, stops, what is
    ignored, and the id block.

    `next_sequence` is the first sequence number that was certainly never used.
    """

    orders: tuple[OrderRecord, ...] = ()
    fills: tuple[FillRecord, ...] = ()
    memos: tuple[MemoRecord, ...] = ()
    next_sequence: int = 0
    stops: Stops | None = None
    ignored: tuple[IgnoredRecord, ...] = ()
