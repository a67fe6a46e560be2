"""What should happen, in the imperative. A trading step returns these; a session carries them out."""

from __future__ import annotations

from engine.model.order import ApprovedOrder, Operation
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


class AmendOrder(Command, frozen=True, kw_only=True):
    """Give a resting own order another price, another size, or both; it stays the same order.

    `order` is approved with the size that shall remain. Venues are told the whole size, executed part included, so
    that a fill on the way makes less remain and never more.
    """

    order: ApprovedOrder
    executed_lots: int
    venue_order_id: str | None

    @property
    def whole_lots(self) -> int:
        return self.executed_lots + self.order.request.lots


BatchItems = tuple[SubmitOrder, ...] | tuple[CancelOrder, ...]


class Batch(Command, frozen=True, kw_only=True):
    """Several orders, or several cancels, in one request. Sessions make them where a venue has such a request; each
    item keeps its own outcome."""

    items: BatchItems


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


class QueryFunding(Command, frozen=True, kw_only=True):
    """Ask for funding payments; of venues whose facts say that they tell them."""

    since_ns: int


class QueryPosition(Command, frozen=True, kw_only=True):
    pass


class QueryBalances(Command, frozen=True, kw_only=True):
    pass


class QueryBook(Command, frozen=True, kw_only=True):
    """Ask for a depth snapshot; issued by the session for its book machine."""


class QueryInstrument(Command, frozen=True, kw_only=True):
    """Ask for the market's facts; issued by sessions at start and by `validate` for its cache."""


Change = SubmitOrder | AmendOrder | CancelOrder | Batch | SetDeadMansSwitch
"""Commands that change something at the venue; where it numbers requests, these take a number."""

Query = (
    QueryOrder
    | QueryOpenOrders
    | QueryOrderHistory
    | QueryFills
    | QueryFunding
    | QueryPosition
    | QueryBalances
    | QueryBook
    | QueryInstrument
)
"""Commands that change nothing: a failed one is QueryFailed, never unresolved."""


def operation_of(command: Command) -> Operation | None:
    """What a command does to orders, whose outcome may then be unknown; None when it concerns no order of ours."""
    match command:
        case SubmitOrder():
            return Operation.SUBMIT
        case AmendOrder():
            return Operation.AMEND
        case CancelOrder():
            return Operation.CANCEL
        case Batch(items=(first, *_)):
            return operation_of(first)
        case _:
            return None
