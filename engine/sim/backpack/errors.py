"""How Backpack says no: JSON with a code, or plain text for what it could not even parse.

The words follow what was seen of the real venue; clients match some of them as text.
"""

from __future__ import annotations

import msgspec

from engine.exchanges.backpack.wire import ApiError
from engine.exchanges.messages import HttpResponse
from engine.sim.orders import Refusal

JSON_TYPE = ("content-type", "application/json; charset=utf-8")
TEXT_TYPE = ("content-type", "text/plain; charset=utf-8")


class ApiRefusal(Exception):
    """A request that is answered with an error; `code` None means plain text."""

    def __init__(self, status: int, code: str | None, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def response(self) -> HttpResponse:
        if self.code is None:
            return HttpResponse(status=self.status, headers=(TEXT_TYPE,), body=self.message.encode())
        body = msgspec.json.encode(ApiError(code=self.code, message=self.message))
        return HttpResponse(status=self.status, headers=(JSON_TYPE,), body=body)


def unparsable_parameter(name: str, why: str) -> ApiRefusal:
    return ApiRefusal(400, None, f"failed to parse parameter `{name}`: {why}")


def unparsable_body(why: str) -> ApiRefusal:
    return ApiRefusal(400, None, f"parse request payload error: {why}")


def invalid_request(message: str) -> ApiRefusal:
    return ApiRefusal(400, "INVALID_CLIENT_REQUEST", message)


def not_simulated(what: str) -> ApiRefusal:
    return ApiRefusal(400, "NOT_IMPLEMENTED", f"{what} is not simulated")


def not_found() -> ApiRefusal:
    return ApiRefusal(404, "RESOURCE_NOT_FOUND", "Not Found")


def unknown_path() -> ApiRefusal:
    return ApiRefusal(404, None, "not found")


def too_many_requests() -> ApiRefusal:
    return ApiRefusal(429, "TOO_MANY_REQUESTS", "Too many requests")


_REFUSALS = {
    Refusal.WOULD_CROSS: ("INVALID_ORDER", "Order would immediately match and take"),
    Refusal.PRICE_OUT_OF_BAND: ("INVALID_PRICE", "Price is too far from the last active price"),
    Refusal.INSUFFICIENT_FUNDS: ("INSUFFICIENT_FUNDS", "Insufficient funds"),
    Refusal.INSUFFICIENT_MARGIN: ("INSUFFICIENT_MARGIN", "Insufficient margin"),
    Refusal.NOT_REDUCING: ("INVALID_ORDER", "Reduce only order not reduced"),
}


def order_refused(refusal: Refusal) -> ApiRefusal:
    """The answer to an order the exchange did not take."""
    return ApiRefusal(400, *_REFUSALS[refusal])
