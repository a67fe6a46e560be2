"""Every WebSocket message of Aster that client or simulated venue speak; REST messages are in `wire`.

Keys are single letters on the wire and words here; times are milliseconds. The rules of `wire` hold.
"""

# No `from __future__ import annotations`: msgspec would have to compile every text among them when a bot starts.

import msgspec
from msgspec import UNSET, UnsetType

from engine.exchanges.aster.wire import Id, PriceLevel
from engine.model.value import Value

FUNDING_FEE = "FUNDING_FEE"
"""The word for funding, in the account's stream as in the list of incomes."""


# {"method":"SUBSCRIBE","params":["btcusdt@depth@100ms"],"id":1} · Live subscribing. CCXT sends no id.
class Control(Value, frozen=True, kw_only=True):
    method: str
    params: tuple[str, ...] = ()
    id: int | str | None = None


# {"stream":"btcusdt@depth@100ms","data":{…}} on /stream; bare data on /ws/<listenKey>; {"result":null,"id":1} after
# a control frame, {"code":2,"msg":"Invalid request: …"} when it was wrong. · WebSocket market streams
class Envelope(Value, frozen=True, kw_only=True, rename={"event": "e"}):
    stream: str | UnsetType = UNSET
    data: msgspec.Raw | UnsetType = UNSET
    event: str | UnsetType = UNSET
    code: int | UnsetType = UNSET
    msg: str = ""


# Public ----------------------------------------------------------------------------------------------------


# {"e":"depthUpdate","E":1754556878284,"T":1754556878031,"s":"BTCUSDT","U":156391349814,"u":156391349814,
#  "pu":156391348236,"b":[["114988.3","0.147"]],"a":[["114988.4","1.060"]]} · Diff. book depth streams
class DepthUpdate(
    Value,
    frozen=True,
    kw_only=True,
    rename={
        "event": "e",
        "sent_ms": "E",
        "engine_ms": "T",
        "symbol": "s",
        "first_id": "U",
        "last_id": "u",
        "previous_id": "pu",
        "bids": "b",
        "asks": "a",
    },
):
    event: str = "depthUpdate"
    sent_ms: int
    engine_ms: int | UnsetType = UNSET
    symbol: str
    first_id: int
    last_id: int
    previous_id: int | UnsetType = UNSET
    bids: tuple[PriceLevel, ...]
    asks: tuple[PriceLevel, ...]


# {"e":"markPriceUpdate","E":1754660466000,"s":"BTCUSDT","p":"116809.60000000","P":"116595.54012838",
#  "i":"116836.93534884","r":"0.00010000","T":1754668800000} · Mark price stream
class MarkPriceUpdate(
    Value,
    frozen=True,
    kw_only=True,
    rename={
        "event": "e",
        "sent_ms": "E",
        "symbol": "s",
        "mark_price": "p",
        "settle_price": "P",
        "index_price": "i",
        "funding_rate": "r",
        "next_funding_ms": "T",
    },
):
    event: str = "markPriceUpdate"
    sent_ms: int
    symbol: str
    mark_price: str
    settle_price: str = ""
    index_price: str = ""
    funding_rate: str = ""
    next_funding_ms: int = 0


# {"e":"aggTrade","E":123456789,"s":"BTCUSDT","a":5933014,"p":"0.001","q":"100","f":100,"l":105,"T":123456785,
#  "m":true} · Aggregate trade streams: what one taker did at one price. m: the buyer was the maker
class AggregateTrade(
    Value,
    frozen=True,
    kw_only=True,
    rename={"event": "e", "symbol": "s", "price": "p", "quantity": "q", "buyer_is_maker": "m"},
):
    event: str = "aggTrade"
    symbol: str
    price: str
    quantity: str
    buyer_is_maker: bool


# Private ---------------------------------------------------------------------------------------------------


# {"s":"BTCUSDT","c":"TEST","S":"SELL","o":"LIMIT","f":"GTX","q":"0.001","p":"9910","ap":"0","sp":"0","x":"NEW",
#  "X":"NEW","i":8886774,"l":"0","z":"0","L":"0","N":"USDT","n":"0","T":1568879465651,"t":0,"b":"0","a":"9.91",
#  "m":false,"R":false,"wt":"CONTRACT_PRICE","ot":"LIMIT","ps":"BOTH","cp":false,"rp":"0"}
# · ORDER_TRADE_UPDATE, and flat inside spot's executionReport. Commission is left out when there is none.
_ORDER_KEYS = {
    "symbol": "s",
    "client_order_id": "c",
    "side": "S",
    "order_type": "o",
    "time_in_force": "f",
    "quantity": "q",
    "price": "p",
    "average_price": "ap",
    "stop_price": "sp",
    "execution": "x",
    "status": "X",
    "order_id": "i",
    "fill_quantity": "l",
    "executed_quantity": "z",
    "fill_price": "L",
    "commission_asset": "N",
    "commission": "n",
    "engine_ms": "T",
    "trade_id": "t",
    "is_maker": "m",
    "reduce_only": "R",
    "working_type": "wt",
    "original_type": "ot",
    "position_side": "ps",
    "close_position": "cp",
    "realized_profit": "rp",
    "created_ms": "O",
    "executed_quote": "Z",
    "fill_quote": "Y",
}


class OrderUpdate(Value, frozen=True, kw_only=True, rename=_ORDER_KEYS):
    symbol: str
    client_order_id: str = ""
    side: str
    order_type: str
    time_in_force: str = "GTC"
    quantity: str
    price: str = "0"
    average_price: str = "0"
    stop_price: str | UnsetType = UNSET
    execution: str
    status: str
    order_id: Id
    fill_quantity: str = "0"
    executed_quantity: str = "0"
    fill_price: str = "0"
    commission_asset: str | UnsetType | None = UNSET
    commission: str | UnsetType | None = UNSET
    engine_ms: int
    trade_id: Id = 0
    is_maker: bool = False
    reduce_only: bool | UnsetType = UNSET
    working_type: str | UnsetType = UNSET
    original_type: str | UnsetType = UNSET
    position_side: str | UnsetType = UNSET
    close_position: bool | UnsetType = UNSET
    realized_profit: str | UnsetType = UNSET
    created_ms: int | UnsetType = UNSET
    executed_quote: str | UnsetType = UNSET
    fill_quote: str | UnsetType = UNSET


# {"e":"ORDER_TRADE_UPDATE","E":1568879465651,"T":1568879465650,"o":{…}} · Order update
class OrderTradeUpdate(
    Value, frozen=True, kw_only=True, rename={"event": "e", "sent_ms": "E", "engine_ms": "T", "order": "o"}
):
    event: str = "ORDER_TRADE_UPDATE"
    sent_ms: int
    engine_ms: int
    order: OrderUpdate


# {"a":"USDT","wb":"122624.12345678","cw":"100.12345678","bc":"50.12345678"}
class WalletChange(
    Value, frozen=True, kw_only=True, rename={"asset": "a", "wallet": "wb", "cross_wallet": "cw", "change": "bc"}
):
    asset: str
    wallet: str
    cross_wallet: str = "0"
    change: str = "0"


# {"s":"BTCUSDT","pa":"20","ep":"6563.66500","cr":"0","up":"2850.21200","mt":"cross","iw":"0","ps":"BOTH"}
class PositionChange(
    Value,
    frozen=True,
    kw_only=True,
    rename={
        "symbol": "s",
        "amount": "pa",
        "entry_price": "ep",
        "realized": "cr",
        "unrealized": "up",
        "margin_type": "mt",
        "isolated_wallet": "iw",
        "position_side": "ps",
    },
):
    symbol: str
    amount: str
    entry_price: str = "0"
    realized: str = "0"
    unrealized: str = "0"
    margin_type: str = "cross"
    isolated_wallet: str = "0"
    position_side: str = "BOTH"


class AccountChange(Value, frozen=True, kw_only=True, rename={"reason": "m", "balances": "B", "positions": "P"}):
    reason: str = ""
    balances: tuple[WalletChange, ...] = ()
    positions: tuple[PositionChange, ...] = ()


# {"e":"ACCOUNT_UPDATE","E":1564745798939,"T":1564745798938,"a":{"m":"ORDER","B":[…],"P":[…]}} · Balance and
# position update; only what changed.
class AccountUpdate(
    Value, frozen=True, kw_only=True, rename={"event": "e", "sent_ms": "E", "engine_ms": "T", "account": "a"}
):
    event: str = "ACCOUNT_UPDATE"
    sent_ms: int
    engine_ms: int
    account: AccountChange


# {"a":"USDT","f":"16.29445191","l":"0"}
class SpotWalletChange(Value, frozen=True, kw_only=True, rename={"asset": "a", "free": "f", "locked": "l"}):
    asset: str
    free: str
    locked: str


# {"e":"outboundAccountPosition","E":1768547778321,"T":1768547778317,"m":"ORDER","B":[…]} · Spot: account update
class SpotAccountUpdate(
    Value,
    frozen=True,
    kw_only=True,
    rename={"event": "e", "sent_ms": "E", "engine_ms": "T", "reason": "m", "balances": "B"},
):
    event: str = "outboundAccountPosition"
    sent_ms: int
    engine_ms: int
    reason: str = "ORDER"
    balances: tuple[SpotWalletChange, ...]


class ExecutionReport(OrderUpdate, frozen=True, kw_only=True, rename={**_ORDER_KEYS, "event": "e", "sent_ms": "E"}):
    """Spot's own order update: the fields of an order, flat."""

    event: str = "executionReport"
    sent_ms: int
