"""Every REST message of Aster that client and simulated venue speak; stream frames are in `wire_streams`.

A key the venue always sends has no default, one that only one of the two APIs sends, or only sometimes, defaults to
UNSET and is then left out. What the codec reads of a large object stands in a `…View` of its own, so that no key it
ignores can break it. Above each type stand a payload and its section of the documentation (Futures v3, Spot v3).
"""

# No `from __future__ import annotations`: msgspec would have to compile every text among them when a bot starts.

from msgspec import UNSET, UnsetType

from engine.model.value import Value

Id = int | str
"""Order and trade ids are numbers; spot captures also show text."""
MaybeText = str | UnsetType
MaybeFlag = bool | UnsetType
MaybeInt = int | UnsetType
PriceLevel = tuple[str, str]
"""(price, size), plain decimals, best first in snapshots."""


class WireObject(Value, frozen=True, kw_only=True, rename="camel"):
    """A JSON object with camelCase keys; unknown keys are ignored, because venues add some every month."""


# {"code":-1121,"msg":"Invalid symbol."} · Error codes. Cancel-all answers {"code":"200","msg":"…"}.
class ApiError(WireObject, frozen=True, kw_only=True):
    code: int | str
    msg: str = ""


# [{"orderId":…},{"code":-2022,"msg":"ReduceOnly Order is rejected."}] · Place multiple orders, cancel multiple
# orders: an element with a code is a refusal.
class BatchElement(WireObject, frozen=True, kw_only=True):
    code: int | str | UnsetType = UNSET


# {"serverTime":1499827319559} · Check server time
class ServerTime(WireObject, frozen=True, kw_only=True):
    server_time: int


# {"listenKey":"pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"} · User data streams. A
# keep-alive is answered with nothing.
class ListenKey(WireObject, frozen=True, kw_only=True):
    listen_key: MaybeText = UNSET


# {"orderId":283194212,"symbol":"BTCUSDT","status":"NEW","clientOrderId":"botctl-4294967303","price":"9000",
#  "avgPrice":"0.00","origQty":"0.1","executedQty":"0","cumQty":"0","cumQuote":"0","timeInForce":"GTX",
#  "type":"LIMIT","reduceOnly":false,"closePosition":false,"side":"BUY","positionSide":"BOTH","stopPrice":"0",
#  "workingType":"CONTRACT_PRICE","priceProtect":false,"origType":"LIMIT","updateTime":1579276756075}
# · New order, query order, cancel order, open orders, all orders. Queries add `time`. Spot has no position fields.
class Order(WireObject, frozen=True, kw_only=True):
    order_id: Id
    symbol: str
    status: str
    client_order_id: str = ""
    price: str = "0"
    avg_price: str = "0"
    orig_qty: str = "0"
    executed_qty: str = "0"
    cum_qty: MaybeText = UNSET
    cum_quote: str = "0"
    time_in_force: str = "GTC"
    type: str
    orig_type: MaybeText = UNSET
    side: str
    stop_price: str = "0"
    reduce_only: MaybeFlag = UNSET
    close_position: MaybeFlag = UNSET
    position_side: MaybeText = UNSET
    working_type: MaybeText = UNSET
    price_protect: MaybeFlag = UNSET
    order_list_id: MaybeInt | str = UNSET
    time: int | str | UnsetType = UNSET
    update_time: int | str = 0


# {"symbol":"BTCUSDT","countdownTime":"100000"} · Auto-cancel all open orders
class Countdown(WireObject, frozen=True, kw_only=True):
    symbol: str
    countdown_time: int | str


# {"buyer":false,"commission":"-0.07819010","commissionAsset":"USDT","id":698759,"maker":false,"orderId":25851813,
#  "price":"7819.01","qty":"0.002","quoteQty":"15.63802","realizedPnl":"-0.91539999","side":"SELL",
#  "positionSide":"SHORT","symbol":"BTCUSDT","time":1569514978020} · Account trade list. The
# documentation's commission is negative and captured ones are positive (`translate` reads both, so that a maker's
# rebate keeps its sign); perps may leave `maker` out.
class UserTrade(WireObject, frozen=True, kw_only=True):
    id: Id
    order_id: Id
    symbol: str
    side: str
    price: str
    qty: str
    quote_qty: str = "0"
    commission: str
    commission_asset: str
    realized_pnl: MaybeText = UNSET
    margin_asset: MaybeText = UNSET
    position_side: MaybeText = UNSET
    buyer: MaybeFlag = UNSET
    maker: MaybeFlag = UNSET
    time: int


# {"symbol":"BTCUSDT","incomeType":"FUNDING_FEE","income":"0.00134317","asset":"USDT","info":"FUNDING_FEE",
#  "time":1621584000000,"tranId":4480321991774044580,"tradeId":""} · Get income history; what is received is above
# zero
class Income(WireObject, frozen=True, kw_only=True):
    symbol: str = ""
    income_type: str
    income: str
    time: int
    tran_id: Id


# {"entryPrice":"6563.66500","marginType":"cross","isAutoAddMargin":"false","isolatedMargin":"0","leverage":"10",
#  "liquidationPrice":"5930.78","markPrice":"6679.50671178","maxNotionalValue":"20000000","positionAmt":"20.000",
#  "symbol":"BTCUSDT","unRealizedProfit":"2316.83423560","positionSide":"BOTH","updateTime":1625474304765}
# · Position information. One row BOTH, or LONG and SHORT in hedge mode; flat ones are listed too.
class PositionView(WireObject, frozen=True, kw_only=True):
    symbol: str
    position_amt: str
    entry_price: str = "0"


class LeverageView(WireObject, frozen=True, kw_only=True):
    symbol: str
    leverage: str


class Position(PositionView, frozen=True, kw_only=True):
    mark_price: str
    un_realized_profit: str
    liquidation_price: str = "0"
    leverage: str
    max_notional_value: str = "20000000"
    margin_type: str = "cross"
    isolated_margin: str = "0"
    is_auto_add_margin: str = "false"
    position_side: str = "BOTH"
    update_time: int


# {"accountAlias":"SgsR","asset":"USDT","balance":"122607.35137903","crossWalletBalance":"23.72469206",
#  "crossUnPnl":"0.00000000","availableBalance":"23.72469206","maxWithdrawAmount":"23.72469206",
#  "marginAvailable":true,"updateTime":1617939110373} · Futures account balance
class FuturesBalance(WireObject, frozen=True, kw_only=True):
    asset: str
    balance: str
    available_balance: str
    account_alias: str = ""
    cross_wallet_balance: str = "0"
    cross_un_pnl: str = "0"
    max_withdraw_amount: str = "0"
    margin_available: bool = True
    update_time: int = 0


# {"asset":"BTC","free":"4723846.89208129","locked":"0.00000000"} · Spot account information
class SpotBalance(WireObject, frozen=True, kw_only=True):
    asset: str
    free: str
    locked: str


# {"feeTier":0,"canTrade":true,"canDeposit":true,"canWithdraw":true,"updateTime":0,"balances":[…]}
class SpotAccount(WireObject, frozen=True, kw_only=True):
    balances: tuple[SpotBalance, ...]
    fee_tier: int = 0
    can_trade: bool = True
    update_time: int = 0


# {"lastUpdateId":1027024,"E":1589436922972,"T":1589436922959,"bids":[["4.00000000","431.00000000"]],
#  "asks":[["4.00000200","12.00000000"]]} · Order book
class Depth(
    Value, frozen=True, kw_only=True, rename={"last_update_id": "lastUpdateId", "sent_ms": "E", "engine_ms": "T"}
):
    last_update_id: int
    sent_ms: MaybeInt = UNSET
    engine_ms: MaybeInt = UNSET
    bids: tuple[PriceLevel, ...]
    asks: tuple[PriceLevel, ...]


# [1499040000000,"0.01634790","0.80000000","0.01575800","0.01577100","148976.11427815",1499644799999,
#  "2434.19055334",308,"1756.87402397","28.46694368","17928899.62484339"] · Kline/candlestick data; what follows the
# volume is not read.
class Kline(Value, frozen=True, kw_only=True, array_like=True):
    open_ms: int
    open: str
    high: str
    low: str
    close: str
    volume: str


# {"filterType":"PRICE_FILTER","minPrice":"0.00010","maxPrice":"200","tickSize":"0.00010"} · Exchange information.
# The least value of an order is `notional` for perps and `minNotional` for spot.
class Filter(WireObject, frozen=True, kw_only=True):
    filter_type: str
    tick_size: MaybeText = UNSET
    min_price: MaybeText = UNSET
    max_price: MaybeText = UNSET
    step_size: MaybeText = UNSET
    min_qty: MaybeText = UNSET
    max_qty: MaybeText = UNSET
    notional: MaybeText = UNSET
    min_notional: MaybeText = UNSET
    limit: MaybeInt = UNSET
    multiplier_up: MaybeText = UNSET
    multiplier_down: MaybeText = UNSET
    multiplier_decimal: MaybeText = UNSET


# {"symbol":"ASTERUSDT","pair":"ASTERUSDT","contractType":"PERPETUAL","status":"TRADING","baseAsset":"ASTER",
#  "quoteAsset":"USDT","marginAsset":"USDT","pricePrecision":5,"quantityPrecision":2,"filters":[…],…}
# · Exchange information. Only the filters count, never the precisions. Spot has no contractType.
class SymbolView(WireObject, frozen=True, kw_only=True):
    symbol: str
    status: str
    base_asset: str = ""
    quote_asset: str = ""
    contract_type: MaybeText = UNSET
    filters: tuple[Filter, ...]


class ExchangeInfoView(WireObject, frozen=True, kw_only=True):
    symbols: tuple[SymbolView, ...]
