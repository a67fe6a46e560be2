"""What Aster's errors mean: its codes, and what each command makes of them.

The codec asks here for every reply that is no success. Codes follow the Error codes section of the futures API;
texts vary, so codes decide, and words only where one code covers several refusals. A post-only order that would
cross has no documented code: the known relatives' ones are taken, beside the other spelling, EXPIRED.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from engine.errors import AuthenticationFailed, ClockSkewed, RateLimited, Unavailable, Unresolved, VenueError
from engine.exchanges.aster.wire import ApiError
from engine.exchanges.messages import HttpResponse
from engine.model.commands import AmendOrder, CancelOrder, Command, QueryOrder, SubmitOrder, operation_of
from engine.model.events import AmendRejected, CancelRejected, Event, OrderNotFound, SubmitRejected
from engine.model.order import RejectReason

NO_CODE = 0
"""Stands for the code of an answer that is not the venue's JSON: a proxy's or firewall's page."""
NO_SUCH_ORDER, CANCEL_REJECTED = -2013, -2011
LISTEN_KEY_GONE = -1125
_WORDS_KEPT = 300

_REASONS = {
    RejectReason.WOULD_CROSS: (-5021, -5022),
    RejectReason.INSUFFICIENT_FUNDS: (-2018, -2019, -2027, -2028),
    RejectReason.PRICE_OUT_OF_BAND: (-4016, -4024, -4131, -5060),
    RejectReason.REDUCE_ONLY: (-2022, -4118),
    RejectReason.INVALID: (
        *range(-1130, -1099, 1),
        *(-2020, -2021, -2026, -4003, -4004, -4005, -4013, -4014, -4015, -4023, -4061, -4164, -4168, -5076),
    ),
    RejectReason.UNKNOWN_ORDER: (CANCEL_REJECTED, NO_SUCH_ORDER),
    RejectReason.VENUE_BUSY: (-2025,),
}
_REASON_OF_CODE = {code: reason for reason, codes in _REASONS.items() for code in codes}

_REASON_OF_WORDS = (
    ("as maker", RejectReason.WOULD_CROSS),
    ("immediately match", RejectReason.WOULD_CROSS),
    ("insufficient", RejectReason.INSUFFICIENT_FUNDS),
    ("reduceonly", RejectReason.REDUCE_ONLY),
)
"""-2010 covers many refusals; words found are stronger than the code."""

_RATE_CODES = frozenset({-1003, -1015})
_CLOCK_CODES = frozenset({-1021, -4225})
_AUTHENTICATION_CODES = frozenset({-1002, -1022, -2014, -2015, LISTEN_KEY_GONE})
_UNCERTAIN_CODES = frozenset({-1000, -1001, -1006, -1007})


def refused(command: Command, response: HttpResponse, *, requested_ns: int, at_ns: int) -> Sequence[Event]:
    """What the command makes of an answer that is no success; raises the VenueError it stands for when it is
    no answer at all."""
    error = _read(response)
    code, words = _code(error), _words(error)
    failure = _failure(response.status, error)
    if failure is not None:
        raise failure
    if not 400 <= response.status < 500 or response.status == 408 or code in _UNCERTAIN_CODES:
        raise _no_answer(command, response.status, words)
    match command:
        case SubmitOrder(order=order):
            own_id = order.request.client_id
            reason = _reason(error)
            return (
                SubmitRejected(at_ns=at_ns, leg=command.leg, client_id=own_id, reason=reason, venue_words=words),
            )
        case AmendOrder(order=order):
            own_id, reason = order.request.client_id, _reason(error)
            return (
                AmendRejected(at_ns=at_ns, leg=command.leg, client_id=own_id, reason=reason, venue_words=words),
            )
        case CancelOrder(client_id=own_id):
            reason = _reason(error)
            return (
                CancelRejected(at_ns=at_ns, leg=command.leg, client_id=own_id, reason=reason, venue_words=words),
            )
        case QueryOrder(client_id=own_id) if code == NO_SUCH_ORDER:
            return (OrderNotFound(at_ns=at_ns, leg=command.leg, requested_ns=requested_ns, client_id=own_id),)
        case _:
            raise _no_answer(command, response.status, words)


def request_failure(response: HttpResponse, what: str) -> VenueError:
    """The error that a failed request stands for when it is no command: public data, a listenKey."""
    error = _read(response)
    message = f"Aster answered {response.status} to {what}"
    return _failure(response.status, error) or Unavailable(message, venue_words=_words(error))


def _failure(status: int, error: ApiError) -> VenueError | None:
    """Refusals that concern whoever asks, not what was asked; none of them lets an order through."""
    code, words = _code(error), _words(error)
    if status in (418, 429) or code in _RATE_CODES or (status == 403 and code == NO_CODE):
        return RateLimited("Aster asks for fewer requests", venue_words=words)
    if code in _CLOCK_CODES or "nonce" in error.msg.lower():
        return ClockSkewed(
            "our clock or nonce lies outside Aster's window",
            venue_words=words,
            hint="synchronise this host's clock",
        )
    if status == 401 or code in _AUTHENTICATION_CODES:
        return AuthenticationFailed(
            "Aster does not accept our key or signature",
            venue_words=words,
            hint="check that the key exists and may trade: an agent's wallet must be approved by its user",
        )
    return None


def _no_answer(command: Command, status: int, words: str) -> VenueError:
    kind = Unresolved if operation_of(command) else Unavailable
    return kind(f"Aster answered {status} to {type(command).__name__}", venue_words=words)


def _reason(error: ApiError) -> RejectReason:
    message = error.msg.lower().replace("-", "").replace("reduce only", "reduceonly")
    for words, reason in _REASON_OF_WORDS:
        if words in message:
            return reason
    return _REASON_OF_CODE.get(_code(error), RejectReason.OTHER)


def _read(response: HttpResponse) -> ApiError:
    try:
        return _DECODER.decode(response.body)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return ApiError(code=NO_CODE, msg=response.body[:_WORDS_KEPT].decode(errors="replace").strip())


def _code(error: ApiError) -> int:
    """Codes are numbers in errors, and text in the answer to a cancel-all."""
    try:
        return int(error.code)
    except ValueError:
        return NO_CODE


def _words(error: ApiError) -> str:
    words = f"{error.code}: {error.msg}" if _code(error) != NO_CODE else error.msg
    return words[:_WORDS_KEPT]


_DECODER = msgspec.json.Decoder(ApiError)
