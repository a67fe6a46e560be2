"""What a request that gave no answer means, as one event. The table of laws 1 and 2; pure."""

from __future__ import annotations

from engine.errors import AuthenticationFailed, ClockSkewed, NotSent, RateLimited, VenueError
from engine.model.commands import AmendOrder, Batch, CancelOrder, Command, SubmitOrder, operation_of
from engine.model.events import AmendRejected, CancelRejected, Event, OutcomeUnknown, QueryFailed, SubmitRejected
from engine.model.order import Operation, RejectReason

CERTAINLY_NOT_DONE: dict[type[VenueError], RejectReason] = {
    NotSent: RejectReason.NOT_SENT,
    RateLimited: RejectReason.RATE_LIMITED,
    AuthenticationFailed: RejectReason.AUTHENTICATION,
    ClockSkewed: RejectReason.CLOCK_SKEW,
}
"""Failures after which an order or cancel did not happen. After every other one, it may have."""


_REFUSED = {
    Operation.SUBMIT: SubmitRejected,
    Operation.AMEND: AmendRejected,
    Operation.CANCEL: CancelRejected,
}


def failure_events(command: Command, error: VenueError, *, at_ns: int) -> tuple[Event, ...]:
    """The events a failed command becomes: of a batch, one for each item."""
    items = command.items if isinstance(command, Batch) else (command,)
    return tuple(failure_event(item, error, at_ns=at_ns) for item in items)


def failure_event(command: Command, error: VenueError, *, at_ns: int) -> Event:
    """The event a failed command, or a failed item of a batch, becomes."""
    match command:
        case SubmitOrder(order=order) | AmendOrder(order=order):
            client_id = order.request.client_id
        case CancelOrder(client_id=client_id):
            pass
        case _:
            name = type(command).__name__
            return QueryFailed(at_ns=at_ns, leg=command.leg, query=name, why=error.message)
    operation = operation_of(command)
    assert operation is not None
    reason = CERTAINLY_NOT_DONE.get(type(error))
    if reason is None:
        return OutcomeUnknown(
            at_ns=at_ns, leg=command.leg, client_id=client_id, operation=operation, why=error.message
        )
    refused = _REFUSED[operation]
    words = error.venue_words or error.message
    return refused(at_ns=at_ns, leg=command.leg, client_id=client_id, reason=reason, venue_words=words)
