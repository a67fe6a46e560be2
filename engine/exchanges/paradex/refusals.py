"""What each command makes of an answer that is no success: an event, or the VenueError it stands for."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from engine.errors import AuthenticationFailed, ClockSkewed, RateLimited, Unavailable, Unresolved, VenueError
from engine.exchanges.messages import HttpResponse
from engine.exchanges.paradex import reasons
from engine.exchanges.paradex.wire import ApiError
from engine.model.commands import CancelOrder, Command, QueryOrder, SubmitOrder, operation_of
from engine.model.events import CancelRejected, Event, OrderNotFound, SubmitRejected
from engine.model.order import RejectReason

NOT_JSON = "NOT_JSON"
"""Stands for the code of an answer that is not JSON: a proxy's page, an empty body."""

_WORDS_KEPT = 300
_DECODER = msgspec.json.Decoder(ApiError)


def refused(command: Command, response: HttpResponse, *, requested_ns: int, at_ns: int) -> Sequence[Event]:
    """The events of a refusal. Raises the VenueError it stands for when it is no answer at all."""
    error = _read(response)
    failure = _failure(response.status, error)
    if failure is not None:
        raise failure
    if _is_uncertain(response.status, error):
        raise _no_answer(command, response.status, error)
    leg, words = command.leg, _words(error)
    match command:
        case SubmitOrder(order=order):
            own_id, reason = order.request.client_id, _reason(error)
            return (SubmitRejected(at_ns=at_ns, leg=leg, client_id=own_id, reason=reason, venue_words=words),)
        case CancelOrder(client_id=own_id):
            is_unknown = error.error in reasons.UNKNOWN_ORDER
            reason = RejectReason.UNKNOWN_ORDER if is_unknown else _reason(error)
            return (CancelRejected(at_ns=at_ns, leg=leg, client_id=own_id, reason=reason, venue_words=words),)
        case QueryOrder(client_id=own_id) if error.error in reasons.NOT_FOUND:
            return (OrderNotFound(at_ns=at_ns, leg=leg, requested_ns=requested_ns, client_id=own_id),)
        case _:
            raise _no_answer(command, response.status, error)


def plain_failure(response: HttpResponse) -> VenueError:
    """The error a failed login or public request stands for."""
    error = _read(response)
    failure = _failure(response.status, error)
    if failure is None and _reason(error) is RejectReason.AUTHENTICATION:
        failure = _not_accepted(error)
    return failure or Unavailable(f"Paradex answered {response.status}", venue_words=_words(error))


def _failure(status: int, error: ApiError) -> VenueError | None:
    """Refusals that concern whoever asks, not what was asked; none of them lets an order through."""
    words = _words(error)
    if status == 429:
        return RateLimited("Paradex asks for fewer requests", venue_words=words)
    if error.error in reasons.CLOCK:
        return ClockSkewed(
            "our clock lies outside Paradex's window", venue_words=words, hint="synchronise this host's clock"
        )
    is_about_an_order = error.error in reasons.REFUSED
    if (status in (401, 403) and not is_about_an_order) or error.error in reasons.AUTHENTICATION:
        return _not_accepted(error)
    return None


def _not_accepted(error: ApiError) -> AuthenticationFailed:
    return AuthenticationFailed(
        "Paradex does not accept our key, signature or token",
        venue_words=_words(error),
        hint="check that the account is onboarded, and that a subkey's account_address is its main account's",
    )


def _is_uncertain(status: int, error: ApiError) -> bool:
    """Answers that leave open whether the venue acted."""
    known_refusal = status == 503 and error.error.startswith("SYSTEM_STATUS")
    return (not 400 <= status < 500 and not known_refusal) or status == 408 or error.error in reasons.UNCERTAIN


def _no_answer(command: Command, status: int, error: ApiError) -> VenueError:
    message = f"Paradex answered {status} to {type(command).__name__}"
    kind = Unresolved if operation_of(command) else Unavailable
    return kind(message, venue_words=_words(error))


def _reason(error: ApiError) -> RejectReason:
    return reasons.REFUSED.get(error.error) or reasons.NEVER_RESTED.get(error.error, RejectReason.OTHER)


def _read(response: HttpResponse) -> ApiError:
    try:
        return _DECODER.decode(response.body)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return ApiError(error=NOT_JSON, message=response.body[:_WORDS_KEPT].decode(errors="replace").strip())


def _words(error: ApiError) -> str:
    words = error.message if error.error == NOT_JSON else f"{error.error}: {error.message}"
    return words[:_WORDS_KEPT]
