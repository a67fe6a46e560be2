"""Orders and cancels over the account's own WebSocket: JSON-RPC calls that carry what a REST request would.

An answer says no more there than here: the venue has queued it. What became of an order, its channel tells.
Cancels of many go by REST, because the socket takes only the venue's own ids, and ours are what we surely know.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
from msgspec import UNSET

from engine.exchanges.interface import SocketAnswer
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.exchanges.paradex.frames import NOT_LOGGED_IN
from engine.exchanges.paradex.wire import ApiError
from engine.exchanges.paradex.wire_streams import RpcAnswer, RpcBatchRow, RpcError, RpcRequest
from engine.exchanges.replies import UNREADABLE

STREAM = "account"
FIRST_ID = 1_000
"""Lower ids are those of what is said when the socket opens."""

RATE_LIMITED, INTERNAL, REFUSED = 42901, -32603, 100
NEVER_READ = frozenset({-32700, -32600, -32601, -32602})
"""The venue could not make out what was asked, so it has done nothing."""

_CREATED = {"/v1/orders": "order.create", "/v1/orders/batch": "order.create_batch"}
_BY_CLIENT_ID, _BY_ID = "/v1/orders/by_client_id/", "/v1/orders/"
_CODE = re.compile(r"[A-Z]+(?:_[A-Z]+)+")
_ANSWER = msgspec.json.Decoder(RpcAnswer)
_ENCODER = msgspec.json.Encoder()


class ParadexSocketEntry:
    """See `engine.exchanges.interface.SocketEntry`."""

    stream = STREAM

    def frame(self, request: HttpRequest, request_id: str) -> str | None:
        call = _call(request)
        if call is None:
            return None
        method, params = call
        said = RpcRequest(id=FIRST_ID + int(request_id), method=method, params=params)
        return _ENCODER.encode(said).decode()

    def answer(self, text: str | bytes) -> SocketAnswer | None:
        try:
            said = _ANSWER.decode(text)
        except UNREADABLE:
            return None
        if not isinstance(said.id, int) or said.id < FIRST_ID:
            return None
        return SocketAnswer(request_id=str(said.id - FIRST_ID), response=_response(said))


def _call(request: HttpRequest) -> tuple[str, object] | None:
    """The method and parameters of a request; None for one that cannot be said here."""
    address = urlsplit(request.target)
    if request.method == "POST" and (method := _CREATED.get(address.path)):
        body = msgspec.Raw(request.body)
        return method, {"orders": body} if method == "order.create_batch" else body
    if request.method != "DELETE" or address.path in _CREATED:
        return None
    if address.path.startswith(_BY_CLIENT_ID):
        (market,) = parse_qs(address.query)["market"]
        return "order.cancel", {"client_id": unquote(address.path.removeprefix(_BY_CLIENT_ID)), "market": market}
    return "order.cancel", {"id": unquote(address.path.removeprefix(_BY_ID))}


def _response(said: RpcAnswer) -> HttpResponse:
    """What REST would have answered."""
    if said.error:
        return _refusal(said.error)
    if said.result is UNSET:
        return HttpResponse(status=500)
    if said.result.order is not UNSET:
        return HttpResponse(status=201, body=bytes(said.result.order))
    if said.result.results is not UNSET:
        return HttpResponse(status=201, body=_batch(said.result.results))
    return HttpResponse(status=200, body=b"{}")


def _batch(rows: tuple[RpcBatchRow, ...]) -> bytes:
    """Orders tell by their client ids who they are; errors are those of the rest."""
    orders = [row.order for row in rows if row.order is not UNSET]
    errors = [ApiError(error=_word(row.error), message=row.error) for row in rows if row.order is UNSET]
    return _ENCODER.encode({"orders": orders, "errors": errors})


def _refusal(error: RpcError) -> HttpResponse:
    """By its number, which is all that is documented. The simulated venue, and perhaps the real one, adds the word
    that REST has for it. A number nobody knows leaves open whether the venue acted."""
    word = _word(error.data) or _word(error.message)
    match error.code:
        case code if code in NOT_LOGGED_IN:
            status, word = 401, "INVALID_TOKEN"
        case code if code in NEVER_READ:
            status, word = 400, "VALIDATION_ERROR"
        case _ if error.code == RATE_LIMITED:
            status = 429
        case _ if error.code == REFUSED:
            status = 400
        case _:
            status, word = 500, "INTERNAL_ERROR"
    body = ApiError(error=word or str(error.code), message=error.message)
    return HttpResponse(status=status, body=_ENCODER.encode(body))


def _word(told: object) -> str:
    """The code of REST that a text begins with, or nothing."""
    found = _CODE.match(told) if isinstance(told, str) else None
    return found[0] if found else ""
