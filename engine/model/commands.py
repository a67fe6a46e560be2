"""What should happen, in the imperative. A trading step returns these; a session carries them out."""

from __future__ import annotations

from engine.model.order import ApprovedOrder
from engine.model.value import Message


class Command(Message, frozen=True, kw_only=True):
    leg: str


class SubmitOrder(Command, frozen=True, kw_only=True):
    """Send one order."""

    order: ApprovedOrder


class CancelOrder(Command, frozen=True, kw_only=True):
    """Cancel one own order, by venue id where known, else by client id."""

    client_id: int
    venue_order_id: str | None


class SetDeadMansSwitch(Command, frozen=True, kw_only=True):
    """Have the venue cancel every order of the market, or of the whole account, after a while in which it was not
    asked anew; None takes that back. Issued by sessions of exclusive accounts. Nothing comes of a success."""

    cancel_after_s: int | None


class QueryOrder(Command, frozen=True, kw_only=True):
    """Ask for one order by client id; answered by OrderUpdated or OrderNotFound."""

    client_id: int


class QueryOpenOrders(Command, frozen=True, kw_only=True):
    pass


class QueryOrderHistory(Command, frozen=True, kw_only=True):
    since_ns: int


class QueryFills(Command, frozen=True, kw_only=True):
    since_ns: int


class QueryPosition(Command, frozen=True, kw_only=True):
    pass


class QueryBalances(Command, frozen=True, kw_only=True):
    pass


class QueryBook(Command, frozen=True, kw_only=True):
    """Ask for a depth snapshot; issued by the session for its book machine."""


class QueryInstrument(Command, frozen=True, kw_only=True):
    """Ask for the market's facts; issued by sessions at start and by `validate` for its cache."""


Change = SubmitOrder | CancelOrder | SetDeadMansSwitch
"""Commands that change something at the venue; where it numbers requests, these take a number."""

Query = (
    QueryOrder
    | QueryOpenOrders
    | QueryOrderHistory
    | QueryFills
    | QueryPosition
    | QueryBalances
    | QueryBook
    | QueryInstrument
)
"""Commands that change nothing: a failed one is QueryFailed, never unresolved."""
