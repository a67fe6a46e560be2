"""How Aster says no: `{"code":-1121,"msg":"Invalid symbol."}` under a 4xx. That business errors come as 400 is a
guess: the documentation says 4xx.
"""

from __future__ import annotations

import msgspec

from engine.exchanges.aster.wire import ApiError
from engine.exchanges.messages import HttpResponse
from engine.sim.aster.settings import AsterSettings
from engine.sim.orders import Refusal

NEW_ORDER_REJECTED = -2010
_IMMEDIATE = "Order would immediately match and take."
_NOT_AS_MAKER = "Due to the order could not be executed as maker, the Post Only order will be rejected."
JSON_TYPE = ("content-type", "application/json;charset=UTF-8")


class ApiRefusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def response(self) -> HttpResponse:
        return HttpResponse(status=self.status, headers=(JSON_TYPE,), body=msgspec.json.encode(self.error()))

    def error(self) -> ApiError:
        return ApiError(code=self.code, msg=self.message)


def missing(name: str) -> ApiRefusal:
    return ApiRefusal(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def invalid(name: str) -> ApiRefusal:
    return ApiRefusal(-1130, f"Data sent for parameter '{name}' is not valid.")


def not_simulated(what: str) -> ApiRefusal:
    return ApiRefusal(-1130, f"{what} is not simulated")


def bad_signature() -> ApiRefusal:
    return ApiRefusal(-1022, "Signature for this request is not valid.")


def unknown_order() -> ApiRefusal:
    return ApiRefusal(-2011, "Unknown order sent.")


def no_such_order() -> ApiRefusal:
    return ApiRefusal(-2013, "Order does not exist.")


_REFUSALS = {
    Refusal.PRICE_OUT_OF_BAND: (-4016, "Limit price can't be that far from the mark price."),
    Refusal.INSUFFICIENT_FUNDS: (-2018, "Balance is insufficient."),
    Refusal.INSUFFICIENT_MARGIN: (-2019, "Margin is insufficient."),
    Refusal.NOT_REDUCING: (-2022, "ReduceOnly Order is rejected."),
}


def order_refused(refusal: Refusal, settings: AsterSettings) -> ApiRefusal:
    """The answer to an order the exchange did not take."""
    if refusal is Refusal.WOULD_CROSS:
        code = settings.crossing_post_only_code
        return ApiRefusal(code, _IMMEDIATE if code == NEW_ORDER_REJECTED else _NOT_AS_MAKER)
    return ApiRefusal(*_REFUSALS[refusal])
