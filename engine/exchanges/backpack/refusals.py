"""What Backpack's errors mean: its codes, its plain-text oddities, and what each command makes of them.

The codec asks here for every reply that is no success. Codes follow the Errors page of docs.backpack.exchange;
where sources disagree on an answer, both are taken.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from engine.errors import AuthenticationFailed, ClockSkewed, RateLimited, Unavailable, Unresolved, VenueError
from engine.exchanges.backpack.wire import ApiError
from engine.exchanges.messages import HttpResponse
from engine.model.commands import CancelOrder, Command, QueryOrder, SubmitOrder, operation_of
from engine.model.events import CancelRejected, Event, OrderNotFound, SubmitRejected
from engine.model.order import RejectReason

PLAIN_TEXT = "PLAIN_TEXT"
"""Stands for the code of an answer that is not JSON: an unparsable request, an unknown path, a proxy's page."""

_WORDS_KEPT = 300

_REASONS = {
    RejectReason.INSUFFICIENT_FUNDS: (
        "BORROW_LIMIT",
        "BORROW_REQUIRES_LEND_REDEEM",
        "INSUFFICIENT_FUNDS",
        "INSUFFICIENT_MARGIN",
        "INSUFFICIENT_SUPPLY",
        "LEND_LIMIT",
        "LEND_REQUIRES_BORROW_REPAY",
        "MAX_LEVERAGE_REACHED",
    ),
    RejectReason.INVALID: (
        "INVALID_ASSET",
        "INVALID_CLIENT_REQUEST",
        "INVALID_MARKET",
        "INVALID_ORDER",
        "INVALID_PRICE",
        "INVALID_QUANTITY",
        "INVALID_RANGE",
        "INVALID_SYMBOL",
        "NOT_IMPLEMENTED",
        "RESOURCE_NOT_FOUND",
        PLAIN_TEXT,
    ),
    RejectReason.VENUE_BUSY: ("MAINTENANCE", "TOO_EARLY", "TRADING_PAUSED"),
}
_REASON_OF_CODE = {code: reason for reason, codes in _REASONS.items() for code in codes}

_REASON_OF_WORDS = (
    ("immediately match", RejectReason.WOULD_CROSS),
    ("too far from", RejectReason.PRICE_OUT_OF_BAND),
    ("reduce only", RejectReason.REDUCE_ONLY),
)
"""The venue tells these apart in its message only; words found are stronger than the code."""

_AUTHENTICATION_CODES = frozenset({"ACCOUNT_DEACTIVATED", "FORBIDDEN", "INVALID_SIGNATURE", "UNAUTHORIZED"})
_UNCERTAIN_CODES = frozenset({"SERVER_ERROR", "TIMEOUT"})


def refused(command: Command, response: HttpResponse, *, requested_ns: int, at_ns: int) -> Sequence[Event]:
    """What the command makes of an answer that is no success; raises the VenueError it stands for when it is
    no answer at all."""
    error = _read(response)
    failure = _failure(response.status, error)
    if failure is not None:
        raise failure
    if _is_uncertain(response.status, error):
        raise _no_answer(command, response.status, error)
    leg, words = command.leg, _words(error)
    match command:
        case SubmitOrder(order=order):
            own_id = order.request.client_id
            return (
                SubmitRejected(at_ns=at_ns, leg=leg, client_id=own_id, reason=_reason(error), venue_words=words),
            )
        case CancelOrder(client_id=own_id):
            reason = RejectReason.UNKNOWN_ORDER if _is_unknown_order(error) else _reason(error)
            return (CancelRejected(at_ns=at_ns, leg=leg, client_id=own_id, reason=reason, venue_words=words),)
        case QueryOrder(client_id=own_id) if _is_unknown_order(error):
            return (OrderNotFound(at_ns=at_ns, leg=leg, requested_ns=requested_ns, client_id=own_id),)
        case _:
            raise _no_answer(command, response.status, error)


def public_failure(response: HttpResponse) -> VenueError:
    """The error a failed public request stands for."""
    error = _read(response)
    message = f"Backpack answered {response.status} to a public request"
    return _failure(response.status, error) or Unavailable(message, venue_words=_words(error))


def is_not_found(response: HttpResponse) -> bool:
    """A 404 that speaks of the thing asked for and not of the path."""
    return response.status == 404 and _read(response).code == "RESOURCE_NOT_FOUND"


def _failure(status: int, error: ApiError) -> VenueError | None:
    """Refusals that concern whoever asks, not what was asked; none of them lets an order through."""
    message, words = error.message.lower(), _words(error)
    if status == 429 or error.code == "TOO_MANY_REQUESTS":
        return RateLimited("Backpack asks for fewer requests", venue_words=words)
    if status in (400, 401, 403) and "request has expired" in message:
        return ClockSkewed(
            "our clock lies outside Backpack's window", venue_words=words, hint="synchronise this host's clock"
        )
    if status in (401, 403) or error.code in _AUTHENTICATION_CODES or "invalid signature" in message:
        return AuthenticationFailed(
            "Backpack does not accept our key or signature",
            venue_words=words,
            hint="check that the API key exists and may trade, and that api_secret belongs to it",
        )
    return None


def _is_uncertain(status: int, error: ApiError) -> bool:
    """Answers that leave open whether the venue acted: a 503 has been seen with the order live."""
    return not 400 <= status < 500 or status == 408 or error.code in _UNCERTAIN_CODES


def _no_answer(command: Command, status: int, error: ApiError) -> VenueError:
    message = f"Backpack answered {status} to {type(command).__name__}"
    kind = Unresolved if operation_of(command) else Unavailable
    return kind(message, venue_words=_words(error))


def _is_unknown_order(error: ApiError) -> bool:
    said_otherwise = error.code == "INVALID_CLIENT_REQUEST" and "order not found" in error.message.lower()
    return error.code == "RESOURCE_NOT_FOUND" or said_otherwise


def _reason(error: ApiError) -> RejectReason:
    message = error.message.lower().replace("-", " ").replace("reduceonly", "reduce only")
    for words, reason in _REASON_OF_WORDS:
        if words in message:
            return reason
    return _REASON_OF_CODE.get(error.code, RejectReason.OTHER)


def _read(response: HttpResponse) -> ApiError:
    try:
        return _DECODER.decode(response.body)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return ApiError(code=PLAIN_TEXT, message=response.body[:_WORDS_KEPT].decode(errors="replace").strip())


def _words(error: ApiError) -> str:
    words = error.message if error.code == PLAIN_TEXT else f"{error.code}: {error.message}"
    return words[:_WORDS_KEPT]


_DECODER = msgspec.json.Decoder(ApiError)
