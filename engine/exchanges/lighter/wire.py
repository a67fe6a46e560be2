"""Every message of Lighter that client or simulated venue speaks, REST and WebSocket.

What the client reads of a large object stands in a `…View`; the simulated venue sends the whole, a subclass. Keys
that are always the same here have their value as default. Above each type stand a payload and its page of
apidocs.lighter.xyz. Unknown keys are ignored, because the venue adds some every month.
"""

# No `from __future__ import annotations`: msgspec would have to compile every text among them when a bot starts.

from decimal import Decimal

import msgspec
from msgspec import UNSET, UnsetType

from engine.model.value import Value


# {"code":21104,"message":"invalid nonce"} · Data structures, constants and errors. With HTTP 400; on success 200.
class Answer(Value, frozen=True, kw_only=True):
    code: int
    message: str | None = None


# {"code":200,"message":"{\"ratelimit\": \"didn't use volume quota\"}","tx_hash":"b908…",
#  "predicted_execution_time_ms":1792419200123,"volume_quota_remaining":1000} · Trading: sendTx.
# Accepted by the API, not executed yet.
class Accepted(Answer, frozen=True, kw_only=True):
    tx_hash: str
    predicted_execution_time_ms: int = 0
    volume_quota_remaining: int = 0


# {"code":200,"nonce":722} · nextNonce
class NextNonce(Answer, frozen=True, kw_only=True):
    nonce: int


# {"status":200,"network_id":1,"timestamp":1792419200} · GET /: seconds
class Status(Value, frozen=True, kw_only=True):
    status: int = 200
    network_id: int = 1
    timestamp: int


# {"symbol":"ETH","market_id":0,"market_type":"perp","status":"active","size_decimals":4,"price_decimals":2,
#  "min_base_amount":"0.0050","min_quote_amount":"10.000000","taker_fee":"0.0000","maker_fee":"0.0000",…}
# · orderBookDetails; fees in percent
class MarketView(Value, frozen=True, kw_only=True):
    symbol: str
    market_id: int
    market_type: str = "perp"
    status: str
    size_decimals: int
    price_decimals: int
    min_base_amount: str
    min_quote_amount: str
    taker_fee: str
    maker_fee: str


class MarketList(Value, frozen=True, kw_only=True):
    order_book_details: tuple[MarketView, ...]


# {"order_index":281474977354074,"client_order_index":0,"market_index":0,"owner_account_index":1077,
#  "initial_base_amount":"36.0386","price":"2221.60","remaining_base_amount":"0.0000","is_ask":true,
#  "filled_base_amount":"0.0000","type":"limit","time_in_force":"post-only","status":"canceled-post-only",
#  "updated_at":1766387932,…} · accountActiveOrders, accountInactiveOrders, channels account_all_orders; seconds
class OrderView(Value, frozen=True, kw_only=True):
    order_index: int
    client_order_index: int
    market_index: int
    initial_base_amount: str
    filled_base_amount: str
    price: str
    is_ask: bool
    type: str
    status: str
    updated_at: int = 0


class Orders(Value, frozen=True, kw_only=True):
    orders: tuple[OrderView, ...]


class Order(OrderView, frozen=True, kw_only=True):
    order_id: str
    client_order_id: str
    owner_account_index: int
    remaining_base_amount: str
    filled_quote_amount: str
    base_size: int
    base_price: int
    side: str
    time_in_force: str
    reduce_only: bool
    order_expiry: int
    nonce: int
    timestamp: int
    created_at: int
    transaction_time: int
    market_symbol: str
    trigger_price: str = "0"
    trigger_status: str = "na"
    trigger_time: int = 0
    parent_order_index: int = 0
    parent_order_id: str = "0"
    to_trigger_order_id_0: str = "0"
    to_trigger_order_id_1: str = "0"
    to_cancel_order_id_0: str = "0"
    block_height: int = 1
    integrator_fee_collector_index: str = "0"
    integrator_maker_fee: str = "0"
    integrator_taker_fee: str = "0"
    order_flags: int = 0
    order_version: int = 0
    market_kind: str = "perp"


# {"trade_id":17609,"tx_hash":"99ff…","type":"trade","market_id":0,"size":"10.2304","price":"2958.75",
#  "usd_amount":"30269.196000","ask_id":281474977339869,"bid_id":562949952870533,"ask_client_id":0,
#  "bid_client_id":0,"ask_account_id":20,"bid_account_id":1077,"is_maker_ask":true,"timestamp":1766386112741,
#  "maker_fee":20,…} · trades, recentTrades, channels trade and account_all_trades; fees in millionths, or absent
class TradeView(Value, frozen=True, kw_only=True):
    trade_id: int
    type: str
    market_id: int
    size: str
    price: str
    usd_amount: str
    ask_id: int
    bid_id: int
    ask_client_id: int = 0
    bid_client_id: int = 0
    ask_account_id: int
    bid_account_id: int
    is_maker_ask: bool
    timestamp: int
    taker_fee: int | None = None
    maker_fee: int | None = None


class Trades(Value, frozen=True, kw_only=True):
    trades: tuple[TradeView, ...]


class Trade(TradeView, frozen=True, kw_only=True):
    tx_hash: str
    trade_id_str: str
    ask_id_str: str
    bid_id_str: str
    ask_client_id_str: str
    bid_client_id_str: str
    transaction_time: int
    market_symbol: str
    block_height: int = 1
    taker_position_size_before: str = "0"
    taker_entry_quote_before: str = "0"
    taker_initial_margin_fraction_before: int = 500
    taker_position_sign_changed: bool = False
    maker_position_size_before: str = "0"
    maker_entry_quote_before: str = "0"
    maker_initial_margin_fraction_before: int = 500
    maker_position_sign_changed: bool = False
    bid_account_pnl: str = "0"
    ask_account_pnl: str = "0"
    integrator_maker_fee: int = 0
    integrator_maker_fee_collector_index: int = 0
    integrator_taker_fee: int = 0
    integrator_taker_fee_collector_index: int = 0
    taker_allocated_margin_usdc_before: int = 0
    taker_allocated_margin_usdc_after: int = 0
    maker_allocated_margin_usdc_before: int = 0
    maker_allocated_margin_usdc_after: int = 0
    bid_order_version: int = 0
    ask_order_version: int = 0
    market_kind: str = "perp"


# {"market_id":0,"symbol":"ETH","initial_margin_fraction":"5.00","sign":-1,"position":"1.5000",
#  "avg_entry_price":"4050.00",…} · account, channel account_all_positions; `position` has no sign
class PositionView(Value, frozen=True, kw_only=True):
    market_id: int
    sign: int
    position: str
    avg_entry_price: str


class Position(PositionView, frozen=True, kw_only=True):
    symbol: str
    initial_margin_fraction: str
    open_order_count: int
    position_value: str
    unrealized_pnl: str
    realized_pnl: str
    total_funding_paid_out: str
    pending_order_count: int = 0
    position_tied_order_count: int = 0
    liquidation_price: str = "0"
    margin_mode: int = 0
    allocated_margin: str = "0.000000"
    total_discount: str = "0.000000"
    margin_set_flag: int = 0


# {"code":200,"total":1,"accounts":[{"index":1077,"available_balance":"7996.489834","collateral":"9000.000000",
#  "positions":[…],"assets":[…],…}]} · account
class AccountView(Value, frozen=True, kw_only=True):
    collateral: str
    available_balance: str
    positions: tuple[PositionView, ...]


class Accounts(Value, frozen=True, kw_only=True):
    accounts: tuple[AccountView, ...]


# {"code":200,"position_fundings":[{"timestamp":1766386800,"market_id":0,"funding_id":5021,"change":"-0.016200",
#  "rate":"0.0012","position_size":"0.3600","position_side":"long",…}]} · positionFunding; seconds. That what is
# received is above zero is read from the name
class PositionFunding(Value, frozen=True, kw_only=True):
    timestamp: int
    market_id: int
    funding_id: int
    change: str


class PositionFundings(Value, frozen=True, kw_only=True):
    position_fundings: tuple[PositionFunding, ...]


# {"hash":"b908…","type":14,"info":"{\"AccountIndex\":…}","event_info":"{\"ae\":\"\"}","status":2,…} · tx, channel
# account_tx. Status 0 failed, 1 pending, 2 executed, 3 pending-final; `ae` is the error of a failed one.
class TransactionView(Value, frozen=True, kw_only=True):
    hash: str
    type: int
    info: str
    event_info: str = ""
    status: int


class Transaction(TransactionView, frozen=True, kw_only=True):
    account_index: int
    api_key_index: int
    nonce: int
    expire_at: int
    queued_at: int
    executed_at: int
    transaction_time: int
    l1_address: str = ""
    transaction_index: int = 0
    block_height: int = 1
    sequence_index: int = 0
    parent_hash: str = ""


# {"price":"3801.00","remaining_base_amount":"1.2500","order_index":…} · orderBookOrders: single orders, not levels
class RestingOrder(Value, frozen=True, kw_only=True):
    price: str
    remaining_base_amount: str


class RestingOrders(Value, frozen=True, kw_only=True):
    asks: tuple[RestingOrder, ...]
    bids: tuple[RestingOrder, ...]


# {"t":1763448660000,"o":3801.0,"h":3803.5,"l":3800.1,"c":3802.2,"v":1.25,"V":4752.6,"i":77} · candles; `t` in ms
class CandleView(Value, frozen=True, kw_only=True):
    t: int
    o: Decimal
    h: Decimal
    l: Decimal  # noqa: E741 - the venue's name
    c: Decimal
    v: Decimal


# {"code":200,"r":"1m","c":[…]}
class Candles(Value, frozen=True, kw_only=True):
    c: tuple[CandleView, ...]


# WebSocket -------------------------------------------------------------------------------------------------------


# {"type":"subscribe","channel":"account_all_orders/1077","auth":"1790000600:1077:4:03e7…"} · WebSocket reference
class Subscribe(Value, frozen=True, kw_only=True):
    type: str = "subscribe"
    channel: str
    auth: str | UnsetType = UNSET


# {"code":30005,"message":"Invalid Channel:  (marketId)"} · beside `error`, without the channel it is about
class StreamError(Value, frozen=True, kw_only=True):
    code: int
    message: str = ""


# {"type":"jsonapi/sendtx","id":"1","code":200,"tx_hash":"..","predicted_execution_time_ms":..} · a transaction that
# came over the socket; refused, it has `error` instead, and perhaps no id
class EntryAnswer(Value, frozen=True, kw_only=True):
    type: str = ""
    id: str | None = None
    code: int = 0
    message: str | None = None
    error: StreamError | None = None


# {"price":"2979.64","size":"61.9487"}
class PriceLevel(Value, frozen=True, kw_only=True):
    price: str
    size: str


# {"code":0,"asks":[…],"bids":[…],"offset":11413309,"nonce":3107818665,"begin_nonce":3107818660}: an update holds
# the new size of every changed level, 0 removes it, and follows the one whose `nonce` is its `begin_nonce`
class BookFrame(Value, frozen=True, kw_only=True):
    asks: tuple[PriceLevel, ...]
    bids: tuple[PriceLevel, ...]
    nonce: int
    begin_nonce: int | None = None
    offset: int = 0
    code: int = 0


# {"market_id":0,"index_price":"4050.1","mark_price":"4050.3","current_funding_rate":"0.0012",
#  "funding_timestamp":1763445600000,…}; rates in percent, milliseconds
class MarketStats(Value, frozen=True, kw_only=True):
    market_id: int
    mark_price: str
    index_price: str
    current_funding_rate: str = "0"
    funding_timestamp: int = 0


# {"collateral":"9000.000000","available_balance":"7996.489834",…}
class UserStats(Value, frozen=True, kw_only=True):
    collateral: str
    available_balance: str


OrderGroups = dict[str, tuple[OrderView, ...]] | tuple[OrderView, ...]
TradeGroups = dict[str, tuple[TradeView, ...]] | tuple[TradeView, ...]
PositionGroups = dict[str, PositionView] | tuple[PositionView, ...]
"""By market in the documentation and in ccxt, plain lists in the venue's own asyncapi: both are taken."""


# {"type":"update/order_book","channel":"order_book:0","order_book":{…},"timestamp":1763448665923} · one key beside
# type and channel says what it is about, and stays undecoded until then. Also {"type":"ping"}, {"type":"connected"}
class Frame(Value, frozen=True, kw_only=True):
    type: str | UnsetType = UNSET
    channel: str | UnsetType = UNSET
    error: StreamError | UnsetType | None = UNSET
    order_book: msgspec.Raw | UnsetType = UNSET
    market_stats: msgspec.Raw | UnsetType = UNSET
    orders: msgspec.Raw | UnsetType = UNSET
    trades: msgspec.Raw | UnsetType = UNSET
    liquidation_trades: msgspec.Raw | UnsetType = UNSET
    positions: msgspec.Raw | UnsetType = UNSET
    stats: msgspec.Raw | UnsetType = UNSET
    txs: msgspec.Raw | UnsetType = UNSET
