"""Orders: the words for them, what we ask for, and what a venue reports.

`ApprovedOrder` is the only shape that fits the door to a venue, and only `engine.risk.guard` makes one
(law 6; a test reads the sources for other makers).
"""

from __future__ import annotations

from enum import StrEnum

from engine.model.value import Value


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for buy, -1 for sell: turns an unsigned size into a signed position change."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class TimeInForce(StrEnum):
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


class Liquidity(StrEnum):
    MAKER = "maker"
    TAKER = "taker"


class Operation(StrEnum):
    """What was sent when an outcome is unknown: each has its own unresolved state."""

    SUBMIT = "submit"
    AMEND = "amend"
    CANCEL = "cancel"


class OrderStatus(StrEnum):
    """What a venue says of an order; our own view of it (pending, unresolved, …) is `trading.lifecycle`'s."""

    RESTING = "resting"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"

    @property
    def is_open(self) -> bool:
        return self is OrderStatus.RESTING


class RejectReason(StrEnum):
    """Why an order was not taken, as far as behaviour differs; the venue's own words travel beside it."""

    WOULD_CROSS = "would cross"
    INSUFFICIENT_FUNDS = "insufficient funds"
    PRICE_OUT_OF_BAND = "price out of band"
    INVALID = "invalid"
    REDUCE_ONLY = "reduce only"
    RATE_LIMITED = "rate limited"
    AUTHENTICATION = "authentication"
    CLOCK_SKEW = "clock skew"
    UNKNOWN_ORDER = "unknown order"
    VENUE_BUSY = "venue busy"
    NOT_SENT = "not sent"
    NOTHING_TO_TAKE = "nothing to take"
    OTHER = "other"


class OrderRequest(Value, frozen=True, kw_only=True):
    """One order as we would send it. `client_id` is unique for the account over all time."""

    leg: str
    client_id: int
    slot: str
    side: Side
    ticks: int
    lots: int
    post_only: bool = False
    reduce_only: bool = False
    time_in_force: TimeInForce = TimeInForce.GTC


class ApprovedOrder(Value, frozen=True, kw_only=True):
    """An order request that passed every limit. Made by the risk guard alone."""

    request: OrderRequest


class OrderReport(Value, frozen=True, kw_only=True):
    """One order as a venue reports it, from a stream, a reply or a query.

    `client_id` is None for orders placed without one; `executed_lots` is the venue's cumulative figure.
    """

    venue_order_id: str
    client_id: int | None
    side: Side
    ticks: int
    lots: int
    executed_lots: int
    status: OrderStatus
    reason: str = ""
    updated_ns: int = 0
