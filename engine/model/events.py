"""What happened, in the past tense. Events are the only thing a trading step ever learns from.

Every event carries the leg it concerns and `at_ns`, when this process learned of it; there is no other clock.
"""

from __future__ import annotations

from decimal import Decimal

from engine.model.account import Balance, Fill, FundingPayment, Position
from engine.model.budgets import Share
from engine.model.order import Operation, OrderReport, RejectReason, Side
from engine.model.value import Message

Level = tuple[int, int]
"""(ticks, lots): one price level of a book; zero lots deletes it."""


class Event(Message, frozen=True, kw_only=True):
    at_ns: int
    leg: str


# Market data -----------------------------------------------------------------------------------------------


class DepthChanged(Event, frozen=True, kw_only=True):
    """A diff of the venue's book; consumed by the venue's book machine in the session, never by the step."""

    first_id: int
    last_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    previous_id: int | None = None


class DepthSnapshot(Event, frozen=True, kw_only=True):
    """The venue's whole book at `last_id`; consumed by the session's book machine."""

    last_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class BookUpdated(Event, frozen=True, kw_only=True):
    """The best levels, best first, of a book without gaps. A side may be empty."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class BookLost(Event, frozen=True, kw_only=True):
    """The book has a gap, is old, or its socket is gone: it must not be quoted against (law 7)."""

    reason: str


class MarkPriceUpdated(Event, frozen=True, kw_only=True):
    """`funding_ns` is what the venue tells of its funding clock, the last payment's instant or the next one's: it
    changes when funding was paid."""

    mark: Decimal
    index: Decimal | None = None
    funding_rate: Decimal | None = None
    funding_ns: int | None = None


class TradePrinted(Event, frozen=True, kw_only=True):
    """Somebody traded on the market; `side` is the taker's. Consumed by recorders, never by the step."""

    ticks: int
    lots: int
    side: Side


# Own orders and account ------------------------------------------------------------------------------------


class LegConnected(Event, frozen=True, kw_only=True):
    """The private stream is subscribed: what happens from here on will be heard, what came before must be asked."""


class LegDisconnected(Event, frozen=True, kw_only=True):
    """The private stream is gone: what happens from here on will not be heard."""

    reason: str


class OrderUpdated(Event, frozen=True, kw_only=True):
    """The venue says how one order stands: accepted, partly executed, filled, canceled, expired."""

    report: OrderReport


class OrderFilled(Event, frozen=True, kw_only=True):
    """One execution, heard on a stream, in a reply or in a query; heard twice is normal."""

    fill: Fill


class SubmitRejected(Event, frozen=True, kw_only=True):
    """The venue, or our own door, did not take the order: it does not and will not rest."""

    client_id: int
    reason: RejectReason
    venue_words: str = ""


class CancelRejected(Event, frozen=True, kw_only=True):
    """The venue did not take the cancel; with UNKNOWN_ORDER the order is no longer resting."""

    client_id: int
    reason: RejectReason
    venue_words: str = ""


class OrderAmended(Event, frozen=True, kw_only=True):
    """The answer to our amend: it was carried out, and this is how the order stands."""

    report: OrderReport


class AmendRejected(Event, frozen=True, kw_only=True):
    """The venue did not take the amend: the order stays as it was; with UNKNOWN_ORDER it is no longer resting."""

    client_id: int
    reason: RejectReason
    venue_words: str = ""


class CancelAcknowledged(Event, frozen=True, kw_only=True):
    """The cancel was taken but not yet carried out; the stream or a query tells when."""

    client_id: int


class OutcomeUnknown(Event, frozen=True, kw_only=True):
    """Bytes left, no answer came (law 2)."""

    client_id: int
    operation: Operation
    why: str


class NonceUsed(Event, frozen=True, kw_only=True):
    """The venue carried out the request of our key that had this number; consumed by the session, which knows what
    it sent under it. `client_id` is the order's when the request was one."""

    nonce: int
    client_id: int | None


class OpenOrdersReported(Event, frozen=True, kw_only=True):
    """All open orders of the leg's market. Says nothing about orders touched after `requested_ns`."""

    requested_ns: int
    orders: tuple[OrderReport, ...]


class OrderHistoryReported(Event, frozen=True, kw_only=True):
    """Newest closed or open orders of the market; complete for orders that changed at or after `since_ns`."""

    requested_ns: int
    since_ns: int
    orders: tuple[OrderReport, ...]


class FillsReported(Event, frozen=True, kw_only=True):
    """All fills of the account on the market at or after `since_ns`, up to `requested_ns`."""

    requested_ns: int
    since_ns: int
    fills: tuple[Fill, ...]


class OrderNotFound(Event, frozen=True, kw_only=True):
    """A lookup by id found nothing resting under it when asked at `requested_ns`."""

    requested_ns: int
    client_id: int


class PositionReported(Event, frozen=True, kw_only=True):
    """The venue's position on the leg's market, from the stream (`requested_ns` None) or a query."""

    requested_ns: int | None
    position: Position


class BalancesReported(Event, frozen=True, kw_only=True):
    """Balances by asset; from a stream only the changed ones (`requested_ns` None), from a query all."""

    requested_ns: int | None
    balances: tuple[Balance, ...]


class FundingAnnounced(Event, frozen=True, kw_only=True):
    """A stream says that funding was paid. What exactly, and whether on this market at all, is for the venue's
    history to tell: some streams do not say."""


class FundingReported(Event, frozen=True, kw_only=True):
    """All funding payments of the account on the market at or after `since_ns`, up to `requested_ns`."""

    requested_ns: int
    since_ns: int
    payments: tuple[FundingPayment, ...]


class QueryFailed(Event, frozen=True, kw_only=True):
    """A query gave no answer: its subject is unavailable, not empty (law 1). `query` is its command's name."""

    query: str
    why: str


# Time and people -------------------------------------------------------------------------------------------


class TimePassed(Event, frozen=True, kw_only=True):
    """Nothing happened, but time went on. The runtime sends one at the step's `wake_ns` or a steady interval."""


class BudgetsRead(Event, frozen=True, kw_only=True):
    """The budgets that the bot shares were looked at, and its shares of them are claimed."""

    shares: dict[str, Share]


class Paused(Event, frozen=True, kw_only=True):
    """Stop quoting, keep the process: own orders are cancelled."""

    who: str
    why: str


class Resumed(Event, frozen=True, kw_only=True):
    who: str


class TripHeld(Event, frozen=True, kw_only=True):
    """The hold of a trip is in place: the bot is out of trade until a person resumes it."""

    why: str


class PositionAdopted(Event, frozen=True, kw_only=True):
    """A person takes these signed lots, which own fills do not explain, into the bot's own books at `ticks`.

    None: at the venue's entry price, else at the mid."""

    lots: int
    ticks: int | None
    who: str


class PositionIgnored(Event, frozen=True, kw_only=True):
    """A person says that these signed lots, which own fills do not explain, are none of the bot's business."""

    lots: int
    who: str


class StopRequested(Event, frozen=True, kw_only=True):
    """Begin the stop procedure (law 10): no new quotes, cancel own, confirmed gone, then exit.

    `keep_position` overrules the stop policy: a restart is no reason to trade. `reduce_until_ns` ends the quoting
    of the policy `reduce`; at once when it is not given.
    """

    why: str
    keep_position: bool = False
    reduce_until_ns: int = 0
