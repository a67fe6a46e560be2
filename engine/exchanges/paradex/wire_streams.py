"""What only Paradex's WebSocket says: JSON-RPC around the objects of `wire`, and books. Rules as there."""

# No `from __future__ import annotations`: msgspec would have to compile every text among them when a bot starts.

from msgspec import UNSET, Raw, UnsetType

from engine.exchanges.paradex.wire import Moment, WireObject


# {"side":"BUY","price":"142.1","size":"1.5"} · a row of the channel `order_book`
class BookRow(WireObject, frozen=True, kw_only=True):
    side: str
    price: str
    size: str


# {"market":"SOL-USD-PERP","seq_no":20784,"last_updated_at":1681493415023,"update_type":"s","inserts":[…],
#  "updates":[],"deletes":[]} · WebSocket: order_book; "s" is the whole book, "d" what changed
class BookUpdate(WireObject, frozen=True, kw_only=True):
    market: str
    seq_no: int
    last_updated_at: Moment
    update_type: str
    inserts: tuple[BookRow, ...]
    updates: tuple[BookRow, ...] = ()
    deletes: tuple[BookRow, ...] = ()


# {"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"channel":"bbo.SOL-USD-PERP"}} · WebSocket: requests
class RpcRequest(WireObject, frozen=True, kw_only=True):
    jsonrpc: str = "2.0"
    method: str
    params: object = None
    id: int | str | None = None


# {"code":40111,"message":"Invalid Bearer Token"} · WebSocket: errors
class RpcError(WireObject, frozen=True, kw_only=True):
    code: int
    message: str = ""
    data: object = None


class RpcPush(WireObject, frozen=True, kw_only=True):
    channel: str
    data: Raw


# {"jsonrpc":"2.0","method":"subscription","params":{"channel":"bbo.SOL-USD-PERP","data":{…}}} · pushes
# {"jsonrpc":"2.0","id":1,"result":{"channel":"…"},"usIn":…,"usDiff":…} · answers
class RpcMessage(WireObject, frozen=True, kw_only=True):
    params: RpcPush | UnsetType = UNSET
    result: object = None
    error: RpcError | UnsetType | None = UNSET


# {"order":{…},"created_at":1696291200000,"received_at":1696291200123456789} · {"error":"…"}
# · WebSocket: a row of order.create_batch's answer, in the request's order
class RpcBatchRow(WireObject, frozen=True, kw_only=True):
    order: Raw | UnsetType = UNSET
    error: str = ""


# {"order":{…},"created_at":…,"received_at":…} · order.create; {"results":[…]} · order.create_batch
# {"order_id":"1234567890","status":"QUEUED_FOR_CANCELLATION"} · order.cancel
class RpcResult(WireObject, frozen=True, kw_only=True):
    order: Raw | UnsetType = UNSET
    results: tuple[RpcBatchRow, ...] | UnsetType = UNSET


# {"jsonrpc":"2.0","id":1001,"result":{…},"usIn":…,"usDiff":…} · WebSocket: answers to calls about orders
class RpcAnswer(WireObject, frozen=True, kw_only=True):
    id: int | str | None = None
    result: RpcResult | UnsetType = UNSET
    error: RpcError | UnsetType | None = UNSET
