"""What Lighter's error codes mean, and what each command makes of them. Asked for every answer that is no success.

Codes follow the page Data structures, constants and errors. Which HTTP status carries a rate limit is not
documented: 429 and the codes count alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from engine.errors import AuthenticationFailed, ClockSkewed, RateLimited, Unavailable, Unresolved, VenueError
from engine.exchanges.lighter.wire import Answer
from engine.exchanges.messages import HttpResponse
from engine.model.commands import CancelOrder, Command, SubmitOrder
from engine.model.events import CancelRejected, Event, SubmitRejected
from engine.model.order import RejectReason

SUCCESS = 200
NO_CODE = 0
INVALID_NONCE = frozenset({21104, 21105})
_RATE_LIMITS = frozenset({*range(23000, 23005), 30009, 30010})
_AUTHENTICATION = frozenset({20013, 21100, 21102, 21108, 21109, 21120, 21136})
_CLOCK = frozenset({21711})
_UNKNOWN_ORDER = frozenset({21600, 21700, 21708, 21709})
_UNCERTAIN = frozenset({29500, 29501})
_WORDS_KEPT = 300

_REASONS = {
    RejectReason.INSUFFICIENT_FUNDS: (21301, 21304, 21507, 21508, 21739),
    RejectReason.PRICE_OUT_OF_BAND: (21733, 21734),
    RejectReason.REDUCE_ONLY: (21732, 21738),
    RejectReason.VENUE_BUSY: (21506, 21605, 21712, 21717, 21718, 21719, 21720),
    RejectReason.INVALID: (21501, 21505, 21602, *range(21701, 21707), 21711, 21727, 21728, 21729),
    RejectReason.NOT_SENT: tuple(INVALID_NONCE),
}
"""A refused nonce is nothing against the order: it is sent again as soon as the next one is known."""
_REASON_OF_CODE = {code: reason for reason, codes in _REASONS.items() for code in codes}

_REASON_OF_WORDS = (
    ("nonce", RejectReason.NOT_SENT),
    ("post only", RejectReason.WOULD_CROSS),
    ("reduce", RejectReason.REDUCE_ONLY),
    ("margin", RejectReason.INSUFFICIENT_FUNDS),
    ("not an active", RejectReason.UNKNOWN_ORDER),
    ("inactive", RejectReason.UNKNOWN_ORDER),
    ("empty order", RejectReason.UNKNOWN_ORDER),
    ("not found", RejectReason.UNKNOWN_ORDER),
)
"""The sequencer's errors come as text, sometimes as a number."""


def refused(command: Command, response: HttpResponse, *, at_ns: int) -> Sequence[Event]:
    """What the command makes of an answer that is no success; raises the VenueError it stands for when it is no
    answer at all."""
    answer = read(response)
    failure = _failure(response.status, answer)
    if failure is not None:
        raise failure
    words = _words(answer)
    if not isinstance(command, SubmitOrder | CancelOrder):
        raise Unavailable(f"Lighter answered {response.status} to {type(command).__name__}", venue_words=words)
    is_certain = response.status == 200 or 400 <= response.status < 500
    if not is_certain or response.status == 408 or answer.code in _UNCERTAIN:
        raise Unresolved(f"Lighter answered {response.status} to {type(command).__name__}", venue_words=words)
    reason = _REASON_OF_CODE.get(answer.code, RejectReason.OTHER)
    if answer.code in _UNKNOWN_ORDER and isinstance(command, CancelOrder):
        reason = RejectReason.UNKNOWN_ORDER
    return (refusal_event(command, reason, words, at_ns),)


def refusal_event(command: SubmitOrder | CancelOrder, reason: RejectReason, words: str, at_ns: int) -> Event:
    if isinstance(command, SubmitOrder):
        own_id = command.order.request.client_id
        return SubmitRejected(at_ns=at_ns, leg=command.leg, client_id=own_id, reason=reason, venue_words=words)
    own_id = command.client_id
    return CancelRejected(at_ns=at_ns, leg=command.leg, client_id=own_id, reason=reason, venue_words=words)


def reason_of_words(words: str) -> RejectReason:
    """What the sequencer's own text means."""
    if words.isdecimal():
        return _REASON_OF_CODE.get(int(words), RejectReason.OTHER)
    lowered = words.lower().replace("-", " ").replace("reduceonly", "reduce only")
    return next((reason for part, reason in _REASON_OF_WORDS if part in lowered), RejectReason.OTHER)


def public_failure(response: HttpResponse) -> VenueError:
    """The error a failed public request stands for."""
    answer = read(response)
    message = f"Lighter answered {response.status} to a public request"
    return _failure(response.status, answer) or Unavailable(message, venue_words=_words(answer))


def is_success(response: HttpResponse) -> bool:
    """A refusal may also come with status 200 and a code of its own."""
    return response.status == 200 and read(response).code in (SUCCESS, NO_CODE)


def read(response: HttpResponse) -> Answer:
    try:
        return _DECODER.decode(response.body)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return Answer(code=NO_CODE, message=response.body[:_WORDS_KEPT].decode(errors="replace").strip())


def _failure(status: int, answer: Answer) -> VenueError | None:
    """Refusals that concern whoever asks; none of them lets an order through."""
    words = _words(answer)
    if status == 429 or answer.code in _RATE_LIMITS:
        return RateLimited("Lighter asks for fewer requests", venue_words=words)
    if answer.code in _CLOCK and "expir" in words.lower() and "order" not in words.lower():
        hint = "synchronise this host's clock"
        return ClockSkewed("our transaction had expired when it arrived at Lighter", venue_words=words, hint=hint)
    if status in (401, 403) or answer.code in _AUTHENTICATION:
        return AuthenticationFailed(
            "Lighter does not accept our key, signature or token",
            venue_words=words,
            hint="check account_index and api_key_index, and that the key is registered there",
        )
    return None


def _words(answer: Answer) -> str:
    text = answer.message or ""
    return (text if answer.code == NO_CODE else f"{answer.code}: {text}")[:_WORDS_KEPT]


_DECODER = msgspec.json.Decoder(Answer)
