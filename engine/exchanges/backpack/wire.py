"""The REST messages of Backpack, in both directions; what they say of markets is in `wire_markets`, stream frames
are in `wire_streams`.

The codec decodes the venue's side and the simulated venue encodes it, from the same types, so neither can
drift alone. Three rules for whoever edits this file: a key the venue always sends has no default (None encodes
as null, as the venue does); a key it sends only sometimes defaults to UNSET and is then left out; and what the
codec reads of a large object stands in a `…View` of its own, so that no key it ignores can break it.
Above each type stand a payload and the page of docs.backpack.exchange it belongs to.
"""

# No `from __future__ import annotations`: msgspec would have to compile every text among them when a bot starts.

from msgspec import UNSET, UnsetType

from engine.model.value import Value

Id = str | int
"""Order, trade and position ids: decimal text on REST; SDKs and captures also show numbers."""
Moment = str | int
"""Milliseconds since the epoch, or UTC text without a zone (`2025-07-27T17:39:00.092`) in history."""
ClientId = int | str | None
"""An integer in orders, the same number as text in fills, null for orders placed without one."""
MaybeText = str | UnsetType | None
MaybeFlag = bool | UnsetType | None
MaybeId = Id | UnsetType | None
"""Null or left out, as the venue pleases."""
PriceLevel = tuple[str, str]
"""(price, size), both plain decimals; REST does not pad prices to the tick, the stream does."""


class WireObject(Value, frozen=True, kw_only=True, rename="camel"):
    """A JSON object with camelCase keys; unknown keys are ignored, because venues add some every month."""


# {"code":"INVALID_ORDER","message":"Order would immediately match and take"} · Errors. Some 400s and 404s are
# plain text instead, and a 202 has no body at all.
class ApiError(WireObject, frozen=True, kw_only=True):
    code: str
    message: str = ""


# Orders ----------------------------------------------------------------------------------------------------


# {"symbol":"SOL_USDC","side":"Bid","orderType":"Limit","price":"180.5","quantity":"1.5","postOnly":true,
#  "clientId":1001} · Order: Execute order, POST /api/v1/order
class NewOrder(WireObject, frozen=True, kw_only=True):
    symbol: str
    side: str
    order_type: str
    quantity: str | UnsetType = UNSET
    quote_quantity: str | UnsetType = UNSET
    price: str | UnsetType = UNSET
    time_in_force: str | UnsetType = UNSET
    post_only: bool | UnsetType = UNSET
    reduce_only: bool | UnsetType = UNSET
    client_id: int | str | UnsetType = UNSET
    self_trade_prevention: str | UnsetType = UNSET
    trigger_price: str | UnsetType = UNSET
    trigger_quantity: str | UnsetType = UNSET
    trigger_by: str | UnsetType = UNSET
    stop_loss_trigger_price: str | UnsetType = UNSET
    stop_loss_limit_price: str | UnsetType = UNSET
    stop_loss_trigger_by: str | UnsetType = UNSET
    take_profit_trigger_price: str | UnsetType = UNSET
    take_profit_limit_price: str | UnsetType = UNSET
    take_profit_trigger_by: str | UnsetType = UNSET
    slippage_tolerance: str | UnsetType = UNSET
    slippage_tolerance_type: str | UnsetType = UNSET
    auto_lend: bool | UnsetType = UNSET
    auto_lend_redeem: bool | UnsetType = UNSET
    auto_borrow: bool | UnsetType = UNSET
    auto_borrow_repay: bool | UnsetType = UNSET


# {"symbol":"SOL_USDC","orderId":"111051090663277568"} · Order: Cancel open order, DELETE /api/v1/order
class CancelOne(WireObject, frozen=True, kw_only=True):
    symbol: str
    order_id: Id | UnsetType = UNSET
    client_id: int | str | UnsetType = UNSET


# {"symbol":"SOL_USDC_PERP"} · Order: Cancel open orders, DELETE /api/v1/orders
class CancelAll(WireObject, frozen=True, kw_only=True):
    symbol: str
    order_type: str | UnsetType = UNSET


# {"orderType":"Limit","id":"111051090663277568","clientId":1001,"symbol":"SOL_USDC","side":"Bid",
#  "quantity":"1.5","executedQuantity":"0","executedQuoteQuantity":"0","price":"180.50","postOnly":true,
#  "timeInForce":"GTC","selfTradePrevention":"RejectTaker","status":"New","reduceOnly":null,
#  "createdAt":1735689600123,"relatedOrderId":null,"strategyId":null,"triggerBy":null, …all null…}
# · Order: replies of POST, GET and DELETE /api/v1/order(s); the same with text times, `expiryReason` and
# `systemOrderType` in History: Get order history. A market order has `quoteQuantity` and no `price`.
class Order(WireObject, frozen=True, kw_only=True):
    order_type: str
    id: Id
    client_id: ClientId = None
    symbol: str
    side: str
    quantity: str | None = None
    quote_quantity: MaybeText = UNSET
    executed_quantity: str | None = None
    executed_quote_quantity: str | None = None
    price: MaybeText = UNSET
    post_only: MaybeFlag = UNSET
    time_in_force: str | None = None
    self_trade_prevention: str | None = None
    status: str
    reduce_only: bool | None = None
    created_at: Moment
    related_order_id: Id | None = None
    strategy_id: Id | None = None
    trigger_by: str | None = None
    trigger_price: str | None = None
    trigger_quantity: str | None = None
    triggered_at: Moment | None = None
    stop_loss_trigger_price: str | None = None
    stop_loss_limit_price: str | None = None
    stop_loss_trigger_by: str | None = None
    take_profit_trigger_price: str | None = None
    take_profit_limit_price: str | None = None
    take_profit_trigger_by: str | None = None
    expiry_reason: MaybeText = UNSET
    system_order_type: MaybeText = UNSET


# {"operation":"Ok","orderType":"Limit",…} · Order: Execute orders, POST /api/v1/orders, one per element
class BatchOrder(Order, frozen=True, kw_only=True):
    operation: str = "Ok"


# {"operation":"Err","code":"INVALID_ORDER","message":"…"} · the same page
class BatchError(WireObject, frozen=True, kw_only=True):
    operation: str = "Err"
    code: str
    message: str = ""


# What tells the two apart.
class BatchElement(WireObject, frozen=True, kw_only=True):
    operation: str


# {"clientId":"1001","fee":"0.0021","feeSymbol":"USDC","isMaker":true,"orderId":"111051090663277568",
#  "price":"180.5","quantity":"0.5","side":"Bid","symbol":"SOL_USDC","systemOrderType":null,
#  "timestamp":"2025-07-27T17:39:00.092","tradeId":8831041} · History: Get fill history
class Fill(WireObject, frozen=True, kw_only=True):
    client_id: ClientId = None
    fee: str
    fee_symbol: str
    is_maker: bool
    order_id: Id
    price: str
    quantity: str
    side: str
    symbol: str
    system_order_type: str | None = None
    timestamp: Moment
    trade_id: Id | None = None


# {"userId":1813870,"subaccountId":0,"symbol":"ETH_USDC_PERP","quantity":"-0.001301",
#  "intervalEndTimestamp":"2025-08-01T16:00:00","fundingRate":"0.0001"} · History: Get funding payments; what is
# received is above zero
class FundingPayment(WireObject, frozen=True, kw_only=True):
    symbol: str
    quantity: str
    interval_end_timestamp: Moment
    funding_rate: str


# Account ---------------------------------------------------------------------------------------------------


# {"USDC":{"available":"120","locked":"0","staked":"0"}} · Capital: Get balances, one per asset
class Balance(WireObject, frozen=True, kw_only=True):
    available: str
    locked: str
    staked: str = "0"


# {"symbol":"USDC","assetMarkPrice":"1","totalQuantity":"120","balanceNotional":"120","collateralWeight":"1",
#  "collateralValue":"120","openOrderQuantity":"0","lendQuantity":"20","availableQuantity":"100"}
# · Capital: Get collateral
class CollateralAssetView(WireObject, frozen=True, kw_only=True):
    symbol: str
    total_quantity: str
    available_quantity: str


class CollateralAsset(CollateralAssetView, frozen=True, kw_only=True):
    asset_mark_price: str
    balance_notional: str
    collateral_weight: str
    collateral_value: str
    open_order_quantity: str
    lend_quantity: str


# {"assetsValue":"120","borrowLiability":"0","collateral":[…],"imf":"0.02",…} · Capital: Get collateral
class CollateralView(WireObject, frozen=True, kw_only=True):
    collateral: tuple[CollateralAssetView, ...]


class NetEquityView(WireObject, frozen=True, kw_only=True):
    net_equity: str
    net_equity_available: str
    net_equity_locked: str


# {"address":"0x…"} · Capital: GET /wapi/v1/capital/deposit/address
class DepositAddress(WireObject, frozen=True, kw_only=True):
    address: str


class Collateral(CollateralView, frozen=True, kw_only=True):
    collateral: tuple[CollateralAsset, ...]
    assets_value: str
    borrow_liability: str
    imf: str
    unsettled_equity: str
    liabilities_value: str
    margin_fraction: str | None = None
    mmf: str
    net_equity: str
    net_equity_available: str
    net_equity_locked: str
    net_exposure_futures: str
    pnl_unrealized: str


# {"type":"sqrt","base":"0.02","factor":"0.0000935"} · Markets and Futures
class MarginFunction(WireObject, frozen=True, kw_only=True):
    type: str
    base: str
    factor: str


# {"symbol":"ETH_USDC_PERP","positionId":"4238420454","netQuantity":"0.0036","netExposureQuantity":"0.0036",
#  "netExposureNotional":"13.6348","netCost":"13.7768","entryPrice":"3826.88","breakEvenPrice":"3831.36",
#  "markPrice":"3787.46","estLiquidationPrice":"0","imf":"0.02","mmf":"0.0125","imfFunction":{…},
#  "mmfFunction":{…},"pnlRealized":"0","pnlUnrealized":"-0.1419","cumulativeFundingPayment":"-0.0092",
#  "subaccountId":null,"userId":1813870} · Futures: Get open positions
class PositionView(WireObject, frozen=True, kw_only=True):
    symbol: str
    net_quantity: str
    entry_price: str


class Position(PositionView, frozen=True, kw_only=True):
    position_id: Id
    net_exposure_quantity: str
    net_exposure_notional: str
    net_cost: str
    break_even_price: str
    mark_price: str
    est_liquidation_price: str
    imf: str
    mmf: str
    imf_function: MarginFunction
    mmf_function: MarginFunction
    pnl_realized: str
    pnl_unrealized: str
    cumulative_funding_payment: str
    cumulative_interest: str | UnsetType = UNSET
    subaccount_id: int | None = None
    user_id: int


# {"autoBorrowSettlements":true,"autoLend":false,"futuresMakerFee":"2","futuresTakerFee":"5",
#  "leverageLimit":"10","limitOrders":0,…} · Account: Get account; fees in basis points
class AccountView(WireObject, frozen=True, kw_only=True):
    leverage_limit: str


class Account(AccountView, frozen=True, kw_only=True):
    auto_borrow_settlements: bool
    auto_lend: bool
    auto_realize_pnl: bool
    auto_repay_borrows: bool
    borrow_limit: str
    futures_maker_fee: str
    futures_taker_fee: str
    spot_maker_fee: str
    spot_taker_fee: str
    limit_orders: int
    trigger_orders: int
    liquidating: bool
    position_limit: str


# {"leverageLimit":"5"} · Account: Update account, PATCH /api/v1/account
class AccountPatch(WireObject, frozen=True, kw_only=True):
    auto_borrow_settlements: bool | UnsetType = UNSET
    auto_lend: bool | UnsetType = UNSET
    auto_repay_borrows: bool | UnsetType = UNSET
    leverage_limit: str | UnsetType = UNSET


# {"address":"…","blockchain":"Solana","quantity":"12.5","symbol":"USDC"} · Capital: Request withdrawal
class Withdrawal(WireObject, frozen=True, kw_only=True):
    address: str
    blockchain: str
    quantity: str
    symbol: str
