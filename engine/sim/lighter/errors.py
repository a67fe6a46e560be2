"""How Lighter says no: a code and words, HTTP 400, or an error frame. Clients match some words as text."""

from __future__ import annotations

import msgspec

from engine.exchanges.lighter.wire import Answer, StreamError
from engine.exchanges.messages import HttpResponse

JSON_TYPE = ("content-type", "application/json")

ACCOUNT_NOT_FOUND = (21100, "account not found")
INVALID_NONCE = (21104, "invalid nonce")
NONCES_NOT_INCREASING = (21105, "nonces are not increasing")
KEY_NOT_FOUND = (21109, "api key not found")
INVALID_SIGNATURE = (21120, "invalid signature")
BATCH_OF_MANY = (21121, "batch with different owners")
TX_NOT_FOUND = (21500, "transaction not found")
INVALID_TX = (21501, "invalid tx info")
UNSUPPORTED_TYPE = (21505, "unsupported tx type")
BATCH_TOO_LONG = (21514, "too many transactions in the batch")
INACTIVE_ORDER = (21600, "given order is not an active limit order")
INVALID_MARKET = (21602, "invalid market index")
INVALID_BASE_AMOUNT = (21701, "invalid order base amount")
INVALID_PRICE = (21702, "invalid order price")
INVALID_TYPE = (21704, "invalid order type")
INVALID_TIME_IN_FORCE = (21705, "invalid order time in force")
BELOW_MINIMUM = (21706, "invalid order base or quote amount")
INVALID_EXPIRY = (21711, "invalid expiry")
INVALID_SCHEDULE = (21713, "invalid cancel all time")
INVALID_CLIENT_INDEX = (21727, "invalid client order index")
CLIENT_INDEX_EXISTS = (21728, "client order index already exists")
NOT_ENOUGH_MARGIN = (21739, "not enough margin to create the order")
RATE_LIMITED = (23000, "Too Many Requests!")
INVALID_PARAMETER = (20001, "invalid param")
INVALID_TOKEN = (20013, "invalid auth")
NO_ROUTE = (29404, "not found")

BAD_JSON = (30000, "Invalid JSON")
UNKNOWN_MESSAGE = (30001, "Invalid Type")
ALREADY_SUBSCRIBED = (30003, "Already Subscribed")
NOT_SUBSCRIBED = (30004, "Not Subscribed")
INVALID_CHANNEL = (30005, "Invalid Channel")
AUTH_REQUIRED = (30006, "auth field is required")


class ApiRefusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, error: tuple[int, str], status: int = 400, more: str = "") -> None:
        code, message = error
        super().__init__(message)
        self.code, self.status = code, status
        self.message = f"{message}: {more}" if more else message

    def response(self) -> HttpResponse:
        body = msgspec.json.encode(Answer(code=self.code, message=self.message))
        return HttpResponse(status=self.status, headers=(JSON_TYPE,), body=body)

    def frame(self) -> str:
        return error_frame((self.code, self.message))


def error_frame(error: tuple[int, str]) -> str:
    """An error on the stream names no request."""
    code, message = error
    return msgspec.json.encode({"error": StreamError(code=code, message=message)}).decode()
