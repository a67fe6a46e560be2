"""Why Paradex says no, to a request or, later and on the order's stream, to an order it had queued.

There is no official full list of either; unknown words count as RejectReason.OTHER, and as an order that ended.
"""

from __future__ import annotations

from engine.model.order import RejectReason

USER_CANCELED = "USER_CANCELED"

NEVER_RESTED = {
    "NOT_ENOUGH_MARGIN": RejectReason.INSUFFICIENT_FUNDS,
    "ORDER_EXCEEDS_POSITION_LIMIT": RejectReason.INSUFFICIENT_FUNDS,
    "ORDER_SIZE_BELOW_MIN": RejectReason.INVALID,
    "POST_ONLY_WOULD_CROSS": RejectReason.WOULD_CROSS,
    "REDUCE_ONLY_WILL_INCREASE": RejectReason.REDUCE_ONLY,
    "PRICE_BAND_EXCEEDED": RejectReason.PRICE_OUT_OF_BAND,
    "ORDER_PRICE_OUT_OF_BAND": RejectReason.PRICE_OUT_OF_BAND,
    "SELF_TRADE": RejectReason.OTHER,
    "MMP_TRIGGERED": RejectReason.VENUE_BUSY,
    "MMP_FROZEN": RejectReason.VENUE_BUSY,
}
"""Cancel reasons of an order that failed the checks behind the queue. The two spellings for a price outside the
band are guesses; the venue's documentation describes the case and not its word."""

REFUSED = {
    "VALIDATION_ERROR": RejectReason.INVALID,
    "BINDING_ERROR": RejectReason.INVALID,
    "INVALID_REQUEST_PARAMETER": RejectReason.INVALID,
    "INVALID_ORDER_SIZE": RejectReason.INVALID,
    "INVALID_SYMBOL": RejectReason.INVALID,
    "MARKET_NOT_FOUND": RejectReason.INVALID,
    "DUPLICATED_CLIENT_ID": RejectReason.INVALID,
    "BATCH_SIZE_OUT_OF_RANGE": RejectReason.INVALID,
    "INVALID_ORDER_SIGNATURE": RejectReason.AUTHENTICATION,
    "STARKNET_SIGNATURE_VERIFICATION_FAILED": RejectReason.AUTHENTICATION,
    "INVALID_STARKNET_SIGNATURE": RejectReason.AUTHENTICATION,
    "MARKET_NOT_OPEN": RejectReason.VENUE_BUSY,
    "SYSTEM_STATUS_CANCEL_ONLY": RejectReason.VENUE_BUSY,
    "SYSTEM_STATUS_POST_ONLY": RejectReason.VENUE_BUSY,
    "SERVICE_UNAVAILABLE": RejectReason.VENUE_BUSY,
    "ORDER_IS_NOT_OPEN": RejectReason.VENUE_BUSY,
    "ORDER_IS_NOT_OPEN_YET": RejectReason.VENUE_BUSY,
}
"""Error codes of requests that concern an order. One that is not open yet can be cancelled in a moment."""

UNKNOWN_ORDER = frozenset({"ORDER_ID_NOT_FOUND", "CLIENT_ORDER_ID_NOT_FOUND", "ORDER_IS_CLOSED"})
NOT_FOUND = frozenset({"ORDER_ID_NOT_FOUND", "CLIENT_ORDER_ID_NOT_FOUND"})

AUTHENTICATION = frozenset(
    {
        "ACCOUNT_NOT_FOUND",
        "GEO_IP_BLOCK",
        "INVALID_TOKEN",
        "IP_NOT_ALLOWED",
        "NOT_ONBOARDED",
        "UNAUTHORIZED_ERROR",
    }
)
CLOCK = frozenset({"INVALID_TIMESTAMP", "INVALID_SIGNATURE_EXPIRATION"})
UNCERTAIN = frozenset({"INTERNAL_ERROR"})
