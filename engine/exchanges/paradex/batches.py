"""The answer to a batch, taken apart: for each item the answer it would have had alone. Called by `codec`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from engine.exchanges.messages import HttpResponse
from engine.exchanges.paradex import wire
from engine.exchanges.paradex.translate import client_text
from engine.model.commands import Batch, CancelOrder, SubmitOrder

_ANSWER = msgspec.json.Decoder(wire.BatchAnswerView)
_ORDER = msgspec.json.Decoder(wire.BatchOrderView)
_CANCELS = msgspec.json.Decoder(wire.BatchCancelsView)

QUEUED = HttpResponse(status=204)
CLOSED = HttpResponse(status=400, body=b'{"error":"ORDER_IS_CLOSED","message":"already closed"}')
NOT_FOUND = HttpResponse(status=404, body=b'{"error":"CLIENT_ORDER_ID_NOT_FOUND","message":"not found"}')
NO_ANSWER = HttpResponse(status=503, body=b"the answer to the batch does not name it")
_CANCELED = {"QUEUED_FOR_CANCELLATION": QUEUED, "ALREADY_CLOSED": CLOSED, "NOT_FOUND": NOT_FOUND}


def split(batch: Batch, response: HttpResponse) -> Sequence[HttpResponse]:
    """A refusal of the whole is everybody's. Raises ValueError or a msgspec error for what cannot be read."""
    if not 200 <= response.status < 300:
        return (response,) * len(batch.items)
    if isinstance(batch.items[0], SubmitOrder):
        return _orders(batch, response.body)
    statuses = {row.client_id: row.status for row in _CANCELS.decode(response.body).results}
    names = [client_text(item.client_id) for item in batch.items if isinstance(item, CancelOrder)]
    return [_CANCELED.get(statuses.get(name, ""), NO_ANSWER) for name in names]


def _orders(batch: Batch, body: bytes) -> Sequence[HttpResponse]:
    """Errors name no order: they belong to those that are not among the orders, one each. The words may be a
    neighbour's then; that it was refused is certain, unless the numbers do not agree."""
    answer = _ANSWER.decode(body)
    taken = {_ORDER.decode(raw).client_id: HttpResponse(status=201, body=raw) for raw in _whole(answer.orders)}
    refused = [HttpResponse(status=400, body=raw) for raw in _whole(answer.errors)]
    names = [client_text(item.order.request.client_id) for item in batch.items if isinstance(item, SubmitOrder)]
    agree = len(refused) == sum(name not in taken for name in names)
    words = iter(refused)
    return [taken.get(name) or (next(words) if agree else NO_ANSWER) for name in names]


def _whole(rows: Sequence[msgspec.Raw] | None) -> Iterator[bytes]:
    return (bytes(row) for row in rows or () if bytes(row) != b"null")
