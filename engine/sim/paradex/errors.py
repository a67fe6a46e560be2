"""How Paradex says no: a code and a sentence, on HTTP and, with numbers of its own, on the WebSocket.

Which HTTP status goes with which code is not documented; those here are guesses that fit the status's meaning.
"""

from __future__ import annotations

import msgspec

from engine.exchanges.messages import HttpResponse
from engine.exchanges.paradex.wire import ApiError

JSON_TYPE = ("content-type", "application/json; charset=utf-8")

INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMETERS, INTERNAL = -32600, -32601, -32602, -32603
PARSE_ERROR, REFUSED = -32700, 100
MALFORMED_TOKEN, INVALID_TOKEN, NOT_AUTHENTICATED, RATE_LIMITED = 40110, 40111, 40300, 42901


class ApiRefusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, code: str, message: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers

    def response(self) -> HttpResponse:
        return HttpResponse(
            status=self.status, headers=(JSON_TYPE, *self.headers), body=msgspec.json.encode(self.body)
        )

    @property
    def body(self) -> ApiError:
        return ApiError(error=self.code, message=self.message)

    @property
    def rpc_code(self) -> int:
        """The same as the WebSocket numbers it."""
        if self.status == 429:
            return RATE_LIMITED
        return NOT_AUTHENTICATED if self.status == 401 else REFUSED


class RpcRefusal(Exception):
    """A WebSocket request that is answered with an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def invalid(message: str) -> ApiRefusal:
    return ApiRefusal(400, "VALIDATION_ERROR", message)


def not_simulated(what: str) -> ApiRefusal:
    return ApiRefusal(400, "INVALID_REQUEST_PARAMETER", f"{what} is not simulated")


def unauthorised(message: str) -> ApiRefusal:
    return ApiRefusal(401, "INVALID_TOKEN", message)


def too_many_requests(limit: int, window_s: int, reset_s: int) -> ApiRefusal:
    """The body is a guess; the headers are what the official SDK reads."""
    headers = (
        ("x-ratelimit-limit", str(limit)),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", str(reset_s)),
        ("x-ratelimit-window", str(window_s)),
    )
    return ApiRefusal(429, "RATE_LIMIT_EXCEEDED", "rate limit exceeded", headers)
