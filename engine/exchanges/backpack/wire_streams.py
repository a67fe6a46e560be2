"""Every WebSocket message of Backpack, in both directions; REST messages are in `wire`.

Keys are single letters on the wire and words here. Times are microseconds unless a line says otherwise.
The rules of `wire` hold: no default means always sent, UNSET means left out.
"""

# No `from __future__ import annotations`: msgspec would have to compile every text among them when a bot starts.

import msgspec
from msgspec import UNSET, UnsetType

from engine.exchanges.backpack.wire import ClientId, Id, MaybeFlag, MaybeId, MaybeText, PriceLevel
from engine.model.value import Value


# {"method":"SUBSCRIBE","params":["depth.SOL_USDC_PERP"]} · Streams. Private ones add
# "signature":["<public key>","<signature>","<timestamp>","<window>"]. Success is not acknowledged.
class Subscription(Value, frozen=True, kw_only=True):
    method: str
    params: tuple[str, ...]
    signature: tuple[str, ...] | UnsetType = UNSET
    id: int | str | UnsetType | None = UNSET


# {"code":4006,"message":"Invalid stream"} · Streams
class StreamError(Value, frozen=True, kw_only=True):
    code: int
    message: str


# {"stream":"depth.SOL_USDC_PERP","data":{…}} or {"id":null,"error":{"code":4006,"message":"Invalid stream"}}
# · Streams. `data` stays undecoded until the stream's name says what it is.
class Envelope(Value, frozen=True, kw_only=True):
    stream: str | UnsetType = UNSET
    data: msgspec.Raw | UnsetType = UNSET
    id: int | str | UnsetType | None = UNSET
    error: StreamError | UnsetType = UNSET


# Public ----------------------------------------------------------------------------------------------------


# {"e":"depth","E":1694687965941000,"s":"SOL_USDC","a":[["18.70","0.000"]],"b":[["18.67","0.832"]],
#  "U":94978271,"u":94978271,"T":1694687965940999} · Streams: Depth. Sizes are absolute, 0 deletes.
class DepthUpdate(
    Value,
    frozen=True,
    kw_only=True,
    rename={
        "event": "e",
        "sent_us": "E",
        "symbol": "s",
        "asks": "a",
        "bids": "b",
        "first_id": "U",
        "last_id": "u",
        "engine_us": "T",
    },
):
    event: str = "depth"
    sent_us: int
    symbol: str
    asks: tuple[PriceLevel, ...]
    bids: tuple[PriceLevel, ...]
    first_id: int
    last_id: int
    engine_us: int


# {"e":"bookTicker","E":1694687965941000,"s":"SOL_USDC","a":"18.70","A":"1.000","b":"18.67","B":"2.000",
#  "u":111063070525358080,"T":1694687965940999} · Streams: Book ticker. `u` is a number on the wire although
# documented as text; an empty side is null.
class BookTicker(
    Value,
    frozen=True,
    kw_only=True,
    rename={
        "event": "e",
        "sent_us": "E",
        "symbol": "s",
        "ask": "a",
        "ask_size": "A",
        "bid": "b",
        "bid_size": "B",
        "update_id": "u",
        "engine_us": "T",
    },
):
    event: str = "bookTicker"
    sent_us: int
    symbol: str
    ask: str | None
    ask_size: str | None
    bid: str | None
    bid_size: str | None
    update_id: Id
    engine_us: int


# {"e":"markPrice","E":1694687965941000,"s":"SOL_USDC_PERP","p":"18.70","f":"0.0000125","i":"19.70",
#  "n":1694687966000,"T":1694687965940999} · Streams: Mark price, once a second. `n` is in milliseconds.
class MarkPriceUpdate(
    Value,
    frozen=True,
    kw_only=True,
    rename={
        "event": "e",
        "sent_us": "E",
        "symbol": "s",
        "mark_price": "p",
        "funding_rate": "f",
        "index_price": "i",
        "next_funding_ms": "n",
        "engine_us": "T",
    },
):
    event: str = "markPrice"
    sent_us: int
    symbol: str
    mark_price: str
    funding_rate: str | None = None
    index_price: str | None = None
    next_funding_ms: int | None = None
    engine_us: int | None = None


# {"e":"trade","E":1694688638091000,"s":"SOL_USDC","p":"18.68","q":"0.122","b":"111063114377265150",
#  "a":"111063114585735170","t":12345,"T":1694688638089000,"m":true} · Streams: Trade
class Trade(
    Value,
    frozen=True,
    kw_only=True,
    rename={
        "event": "e",
        "sent_us": "E",
        "symbol": "s",
        "price": "p",
        "quantity": "q",
        "buyer_order_id": "b",
        "seller_order_id": "a",
        "trade_id": "t",
        "engine_us": "T",
        "buyer_is_maker": "m",
    },
):
    event: str = "trade"
    sent_us: int
    symbol: str
    price: str
    quantity: str
    buyer_order_id: Id
    seller_order_id: Id
    trade_id: int
    engine_us: int
    buyer_is_maker: bool


# Private ---------------------------------------------------------------------------------------------------


# {"e":"orderFill","E":1694687692980000,"s":"SOL_USDC","c":1001,"S":"Bid","o":"LIMIT","f":"GTC","q":"32123",
#  "Q":"32123","p":"20","X":"PartiallyFilled","i":"1111343026172067","t":567,"l":"1.23","L":"20","m":true,
#  "n":"23","N":"USDC","z":"321","Z":"123","V":"RejectTaker","T":1694687692989999,"O":"USER","I":"1111343026156135",
#  "H":6023471188,"y":true} · Streams: Order update. `e` is orderAccepted, orderCancelled, orderExpired,
# orderFill, orderModified, triggerPlaced or triggerFailed; t l L m n N come with orderFill, R with orderExpired.
class OrderUpdate(
    Value,
    frozen=True,
    kw_only=True,
    rename={
        "event": "e",
        "sent_us": "E",
        "symbol": "s",
        "client_id": "c",
        "side": "S",
        "order_type": "o",
        "time_in_force": "f",
        "quantity": "q",
        "quote_quantity": "Q",
        "price": "p",
        "trigger_price": "P",
        "trigger_by": "B",
        "trigger_quantity": "Y",
        "take_profit_trigger_price": "a",
        "stop_loss_trigger_price": "b",
        "take_profit_trigger_by": "d",
        "stop_loss_trigger_by": "g",
        "take_profit_limit_price": "j",
        "stop_loss_limit_price": "k",
        "status": "X",
        "expiry_reason": "R",
        "order_id": "i",
        "related_order_id": "I",
        "strategy_id": "H",
        "trade_id": "t",
        "fill_quantity": "l",
        "fill_price": "L",
        "is_maker": "m",
        "fee": "n",
        "fee_symbol": "N",
        "executed_quantity": "z",
        "executed_quote_quantity": "Z",
        "self_trade_prevention": "V",
        "engine_us": "T",
        "origin": "O",
        "reduce_only": "r",
        "post_only": "y",
    },
):
    event: str
    sent_us: int
    symbol: str
    client_id: ClientId | UnsetType = UNSET
    side: str
    order_type: str
    time_in_force: str | None = None
    quantity: MaybeText = UNSET
    quote_quantity: MaybeText = UNSET
    price: MaybeText = UNSET
    trigger_price: MaybeText = UNSET
    trigger_by: MaybeText = UNSET
    trigger_quantity: MaybeText = UNSET
    take_profit_trigger_price: MaybeText = UNSET
    stop_loss_trigger_price: MaybeText = UNSET
    take_profit_trigger_by: MaybeText = UNSET
    stop_loss_trigger_by: MaybeText = UNSET
    take_profit_limit_price: MaybeText = UNSET
    stop_loss_limit_price: MaybeText = UNSET
    status: str
    expiry_reason: MaybeText = UNSET
    order_id: Id
    related_order_id: MaybeId = UNSET
    strategy_id: MaybeId = UNSET
    trade_id: Id | None = None
    fill_quantity: MaybeText = UNSET
    fill_price: MaybeText = UNSET
    is_maker: MaybeFlag = UNSET
    fee: MaybeText = UNSET
    fee_symbol: MaybeText = UNSET
    executed_quantity: str | None = "0"
    executed_quote_quantity: str | None = "0"
    self_trade_prevention: str | None = None
    engine_us: int
    origin: str | None = "USER"
    reduce_only: MaybeFlag = UNSET
    post_only: MaybeFlag = UNSET


# {"e":"positionAdjusted","E":1694687692980000,"s":"SOL_USDC_PERP","b":"123","B":"122","l":"0","f":"0.5",
#  "M":"122","m":"0.01","q":"5","Q":"6","n":"732","i":1111343026,"p":"1.5","P":"-0.5","T":1694687692989999}
# · Streams: Position update. The open positions sent once on subscribing have no `e`.
class PositionUpdate(
    Value,
    frozen=True,
    kw_only=True,
    rename={
        "event": "e",
        "sent_us": "E",
        "symbol": "s",
        "break_even_price": "b",
        "entry_price": "B",
        "liquidation_price": "l",
        "imf": "f",
        "mark_price": "M",
        "mmf": "m",
        "net_quantity": "q",
        "net_exposure_quantity": "Q",
        "net_exposure_notional": "n",
        "position_id": "i",
        "pnl_realized": "p",
        "pnl_unrealized": "P",
        "engine_us": "T",
    },
):
    event: str | UnsetType = UNSET
    sent_us: int
    symbol: str
    break_even_price: str | None = None
    entry_price: str | None = None
    liquidation_price: str | None = "0"
    imf: str | None = None
    mark_price: str | None = None
    mmf: str | None = None
    net_quantity: str
    net_exposure_quantity: str | None = None
    net_exposure_notional: str | None = None
    position_id: Id
    pnl_realized: str | None = None
    pnl_unrealized: str | None = None
    engine_us: int | None = None


# {"a":"USDC","A":"118.5","L":"1.5","S":"0","E":1694687692980000} · seen on account.balanceUpdate, newer than
# the documentation. Absolute values, one asset per frame, no snapshot on subscribing.
class BalanceUpdate(
    Value,
    frozen=True,
    kw_only=True,
    rename={"asset": "a", "available": "A", "locked": "L", "staked": "S", "sent_us": "E"},
):
    asset: str
    available: str
    locked: str
    staked: str = "0"
    sent_us: int


def frame(stream: str, data: Value) -> str:
    """One data frame as the venue sends it."""
    return msgspec.json.encode(Envelope(stream=stream, data=msgspec.Raw(msgspec.json.encode(data)))).decode()


def error_frame(code: int, message: str) -> str:
    """One error frame as the venue sends it."""
    return msgspec.json.encode(Envelope(id=None, error=StreamError(code=code, message=message))).decode()
