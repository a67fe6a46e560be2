"""Every object of Paradex, in both directions; REST and WebSocket speak of the same ones. What only the WebSocket
says stands in `wire_streams`.

The codec decodes the venue's side and the simulated venue encodes it, from the same types, so neither can drift
alone. What the codec reads of a large object stands in a `…View`; the simulator's object adds what else the venue
sends, so that no key the codec ignores can break it. Above each type stand a payload and its page of
docs.paradex.trade (API reference).
"""

# No `from __future__ import annotations`: msgspec would have to compile every text among them when a bot starts.

from decimal import Decimal
from typing import Generic, TypeVar

from msgspec import UNSET, Raw, UnsetType

from engine.model.value import Value

T = TypeVar("T")

Id = str | int
"""Ids are digits of text; recorded answers also show numbers."""
Moment = str | int
"""Milliseconds since the epoch, as a number or as digits."""


class WireObject(Value, frozen=True, kw_only=True):
    """A JSON object; unknown keys are ignored, because venues add some every month."""


# {"error":"ORDER_ID_NOT_FOUND","message":"order ID not found","data":null} · Errors
class ApiError(WireObject, frozen=True, kw_only=True):
    error: str
    message: str = ""
    data: object = None


# {"results":[…],"next":"eyJmaWx0…","prev":null} · every list; only those with pages have `next` and `prev`
class Page(WireObject, Generic[T], frozen=True, kw_only=True):
    results: tuple[T, ...]
    next: str | None = None
    prev: str | None = None


# {"jwt_token":"eyJhbGciOi…"} · Auth: POST /auth
class Jwt(WireObject, frozen=True, kw_only=True):
    jwt_token: str


# {"server_time":"1681493415023"} · System: GET /system/time
class ServerTime(WireObject, frozen=True, kw_only=True):
    server_time: Moment


# {"results":[[1715174220000,62000.5,62010,61990.1,62001,1.25],…]} · Markets: GET /markets/klines
Kline = tuple[int, Decimal, Decimal, Decimal, Decimal, Decimal]
"""Start in ms, then open, high, low, close and volume, as numbers."""


class Klines(WireObject, frozen=True, kw_only=True):
    results: tuple[Kline, ...]


# {"starknet_chain_id":"PRIVATE_SN_PARACLEAR_MAINNET","paraclear_account_hash":"0x41cb…",
#  "paraclear_account_proxy_hash":"0x3530…","l1_chain_id":"1",…} · System: GET /system/config
class SystemConfig(WireObject, frozen=True, kw_only=True):
    starknet_chain_id: str
    paraclear_account_hash: str
    paraclear_account_proxy_hash: str
    l1_chain_id: str


# Orders ----------------------------------------------------------------------------------------------------


# {"market":"SOL-USD-PERP","side":"BUY","size":"1.5","type":"LIMIT","client_id":"bot1-0001","instruction":"GTC",
#  "signature":"[\"123\",\"456\"]","signature_timestamp":1790000000000,"recv_window":null,"stp":null,
#  "price":"142.317"} · Orders: POST /orders; with `id` PUT /orders/{id}
class NewOrder(WireObject, frozen=True, kw_only=True):
    market: str
    side: str
    size: str
    type: str
    client_id: str | None = None
    instruction: str = "GTC"
    signature: str
    signature_timestamp: int
    recv_window: int | None = None
    stp: str | None = None
    price: str | UnsetType | None = UNSET
    flags: tuple[str, ...] | UnsetType | None = UNSET
    trigger_price: str | UnsetType | None = UNSET
    id: Id | UnsetType = UNSET


# {"id":"1790000000000201709999990000","account":"0x4638…","market":"SOL-USD-PERP","side":"BUY","type":"LIMIT",
#  "size":"1.5","remaining_size":"1.5","price":"142.317","status":"NEW","created_at":1681493746016,
#  "last_updated_at":1681493746016,"timestamp":1681493746016,"cancel_reason":"","client_id":"bot1-0001",
#  "seq_no":1681471234972000000,"instruction":"GTC","avg_fill_price":"","stp":"","received_at":…,
#  "published_at":…,"flags":[],"trigger_price":"0"} · Orders: answers of POST and GET, and the channel `orders`
class OrderView(WireObject, frozen=True, kw_only=True):
    id: Id
    client_id: str | None = None
    market: str
    side: str
    type: str
    size: str
    remaining_size: str
    price: str | None = None
    status: str
    cancel_reason: str | None = None
    created_at: Moment
    last_updated_at: Moment


class Order(OrderView, frozen=True, kw_only=True):
    account: str
    timestamp: int
    seq_no: int
    instruction: str
    avg_fill_price: str
    stp: str
    received_at: int
    published_at: int
    flags: tuple[str, ...]
    trigger_price: str


# {"orders":[…],"errors":[{"error":"…","message":"…"}]} · Orders: POST /orders/batch; who is who, client ids tell
class BatchAnswer(WireObject, frozen=True, kw_only=True):
    orders: tuple[Order, ...]
    errors: tuple[ApiError, ...]


# What the codec reads of it: whole objects, told apart by their client ids. Nulls stand where the other list
# speaks.
class BatchAnswerView(WireObject, frozen=True, kw_only=True):
    orders: tuple[Raw, ...] | None = None
    errors: tuple[Raw, ...] | None = None


class BatchOrderView(WireObject, frozen=True, kw_only=True):
    client_id: str | None = None


# {"results":[{"id":"11","client_id":"bot1-0001","account":"0x46…","market":"SOL-USD-PERP",
#  "status":"QUEUED_FOR_CANCELLATION"}]} · Orders: DELETE /orders/batch
class BatchCancelView(WireObject, frozen=True, kw_only=True):
    client_id: str | None = None
    status: str


class BatchCancelsView(WireObject, frozen=True, kw_only=True):
    results: tuple[BatchCancelView, ...]


# {"order_ids":["11"],"client_order_ids":["bot1-0001"]} · Orders: DELETE /orders/batch
class CancelBatch(WireObject, frozen=True, kw_only=True):
    order_ids: tuple[str, ...] | None = None
    client_order_ids: tuple[str, ...] | None = None


# {"id":"8615262148007718462","order_id":"1615262148007718462","client_id":"","market":"SOL-USD-PERP",
#  "side":"BUY","liquidity":"TAKER","price":"30000.12","size":"0.1","fee":"7.56","fee_currency":"USDC",
#  "fill_type":"FILL","created_at":1681375176910, …} · Account: GET /fills, and the channel `fills`
class FillView(WireObject, frozen=True, kw_only=True):
    id: Id
    order_id: Id
    client_id: str | None = None
    market: str
    side: str
    liquidity: str
    price: str
    size: str
    fee: str
    fee_currency: str
    fill_type: str = "FILL"
    created_at: Moment


class Fill(FillView, frozen=True, kw_only=True):
    account: str
    remaining_size: str
    realized_pnl: str
    realized_funding: str
    underlying_price: str
    flags: tuple[str, ...]
    orderbook_seq_no: int


# {"id":"1681375578221101699352320000","market":"BTC-USD-PERP","payment":"34.4490622","index":"-2819.53434361",
#  "fill_id":"8615262148007718462","account":"0x49…","created_at":1681375481000}
# · Account: GET /funding/payments, and the channel `funding_payments`
class FundingPayment(WireObject, frozen=True, kw_only=True):
    id: Id
    market: str
    payment: str
    created_at: Moment


# Account ---------------------------------------------------------------------------------------------------


# {"id":"0x49ddd7a5-SOL-USD-PERP","account":"0x49…","market":"SOL-USD-PERP","side":"SHORT","size":"-0.345",
#  "status":"OPEN","average_entry_price":"29067.7", …} · Account: GET /positions, and the channel `positions`
class PositionView(WireObject, frozen=True, kw_only=True):
    market: str
    side: str
    size: str
    status: str = "OPEN"
    average_entry_price: str | None = None


class Position(PositionView, frozen=True, kw_only=True):
    id: str
    account: str
    cost: str
    unrealized_pnl: str
    unrealized_funding_pnl: str
    realized_positional_pnl: str
    realized_positional_funding_pnl: str
    cached_funding_index: str
    liquidation_price: str
    leverage: str
    last_fill_id: str
    seq_no: int
    created_at: int
    closed_at: int
    last_updated_at: int


# {"account":"0x49…","account_value":"136285.069","total_collateral":"123003.621","free_collateral":"73276.487",
#  "initial_margin_requirement":"5597.04","maintenance_margin_requirement":"2798.52","margin_cushion":"123003.62",
#  "settlement_asset":"USDC","status":"ACTIVE","seq_no":…,"updated_at":…} · Account: GET /account, channel `account`
class AccountView(WireObject, frozen=True, kw_only=True):
    total_collateral: str
    free_collateral: str
    settlement_asset: str


class MarginView(AccountView, frozen=True, kw_only=True):
    account_value: str
    initial_margin_requirement: str
    maintenance_margin_requirement: str


class Account(MarginView, frozen=True, kw_only=True):
    account: str
    margin_cushion: str
    status: str
    seq_no: int
    updated_at: int


# {"account":"0x6343…","configs":[{"leverage":50,"margin_type":"CROSS","market":"BTC-USD-PERP"}],
#  "margin_methodology":"cross_margin"} · Account: GET /account/margin
class MarginConfig(WireObject, frozen=True, kw_only=True):
    market: str
    leverage: int


class MarginConfigs(WireObject, frozen=True, kw_only=True):
    configs: tuple[MarginConfig, ...]


# {"token":"USDC","size":"123003.62","last_updated_at":1681462770114} · Account: GET /balance
class Balance(WireObject, frozen=True, kw_only=True):
    token: str
    size: str
    last_updated_at: int


# Markets ---------------------------------------------------------------------------------------------------


# {"fee":"0.0003","fee_cap":"0.0003","fee_floor":"0"} inside {"api_fee":{"maker_fee":…,"taker_fee":…}, …}
class Fee(WireObject, frozen=True, kw_only=True):
    fee: str
    fee_cap: str = "0"
    fee_floor: str = "0"


class FeePair(WireObject, frozen=True, kw_only=True):
    maker_fee: Fee
    taker_fee: Fee


class FeeConfig(WireObject, frozen=True, kw_only=True):
    api_fee: FeePair | None = None


# {"symbol":"SOL-USD-PERP","base_currency":"SOL","quote_currency":"USD","settlement_currency":"USDC",
#  "asset_kind":"PERP","market_kind":"cross","price_tick_size":"0.001","order_size_increment":"0.01",
#  "min_notional":"10","max_order_size":"10000", …} · Markets: GET /markets
class MarketView(WireObject, frozen=True, kw_only=True):
    symbol: str
    base_currency: str
    settlement_currency: str
    asset_kind: str
    price_tick_size: str
    order_size_increment: str
    min_notional: str
    trading_mode: str = "STANDARD"
    fee_config: FeeConfig | None = None


class Market(MarketView, frozen=True, kw_only=True):
    quote_currency: str
    market_kind: str
    max_order_size: str
    max_open_orders: int
    position_limit: str
    price_bands_width: str
    max_slippage: str
    funding_period_hours: int
    max_funding_rate: str
    delta1_cross_margin_params: dict[str, str]
    open_at: int
    expiry_at: int
    oracle_ewma_factor: str
    price_feed_id: str


PriceLevel = tuple[str, str]


# {"market":"SOL-USD-PERP","seq_no":20784,"last_updated_at":1681493415023,"bids":[["142.1","1.5"]],"asks":[…]}
# · Markets: GET /orderbook/{market}
class OrderBook(WireObject, frozen=True, kw_only=True):
    market: str
    seq_no: int
    last_updated_at: Moment
    bids: tuple[PriceLevel, ...]
    asks: tuple[PriceLevel, ...]


# {"id":"1718179273230201709233240002","market":"ETH-USD-PERP","side":"BUY","size":"0.1","price":"3466.28",
#  "created_at":1718179273230,"trade_type":"FILL"} · WebSocket: trades; the side is the taker's
class TradeView(WireObject, frozen=True, kw_only=True):
    market: str
    side: str
    price: str
    size: str


# {"symbol":"SOL-USD-PERP","mark_price":"142.3","underlying_price":"142.28","funding_rate":"0.0001", …}
# · Markets: GET /markets/summary, and the channel `markets_summary`
class SummaryView(WireObject, frozen=True, kw_only=True):
    symbol: str
    mark_price: str | None = None
    underlying_price: str | None = None
    funding_rate: str | None = None


class Summary(SummaryView, frozen=True, kw_only=True):
    last_traded_price: str
    bid: str
    ask: str
    bid_size: str
    ask_size: str
    volume_24h: str
    total_volume: str
    open_interest: str
    price_change_rate_24h: str
    created_at: int
