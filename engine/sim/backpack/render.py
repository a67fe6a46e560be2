"""Orders, fills, positions and balances of the exchange as Backpack writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from msgspec import UNSET

from engine.clock import NS_PER_MS, NS_PER_S
from engine.exchanges.backpack import wire
from engine.model.instrument import plain
from engine.model.order import OrderStatus, Side, TimeInForce
from engine.sim.backpack.markets import wire_margin
from engine.sim.ledger import ZERO, Account, PerpPosition
from engine.sim.orders import ExchangeFill, Expiry, Order, SelfTrade
from engine.sim.venue_market import VenueMarket

ORDER_ID_BASE = 4_000_000_000
"""Ids on the wire are long decimal texts; inside they count from one."""
POSITION_ID_BASE = 5_000_000_000

SIDES = {Side.BUY: "Bid", Side.SELL: "Ask"}
TIMES_IN_FORCE = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
SELF_TRADES = {
    SelfTrade.REJECT_TAKER: "RejectTaker",
    SelfTrade.REJECT_MAKER: "RejectMaker",
    SelfTrade.REJECT_BOTH: "RejectBoth",
}
EXPIRY_REASONS = {
    Expiry.IMMEDIATE_OR_CANCEL: "ImmediateOrCancel",
    Expiry.FILL_OR_KILL: "FillOrKill",
    Expiry.SELF_TRADE: "SelfTradePrevention",
    Expiry.NO_LONGER_REDUCES: "ReduceOnlyNotReduced",
    Expiry.WOULD_CROSS: "PostOnlyTaker",
    Expiry.NO_LIQUIDITY: "InsufficientLiquidity",
    Expiry.PRICE_IMPACT: "PriceImpact",
}
_STATUSES = {
    OrderStatus.FILLED: "Filled",
    OrderStatus.CANCELED: "Cancelled",
    OrderStatus.EXPIRED: "Expired",
}


def order_id(number: int) -> str:
    return str(ORDER_ID_BASE + number)


def order_number(text: str | int) -> int:
    """The inner number of an order id; an id of nobody's order when it is no number at all."""
    return int(text) - ORDER_ID_BASE if str(text).isdecimal() else -1


def iso_text(at_ns: int) -> str:
    """UTC without a zone, in milliseconds: `2025-07-27T17:39:00.092`."""
    moment = datetime.fromtimestamp(at_ns // NS_PER_S, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ns % NS_PER_S // NS_PER_MS:03d}"


def status(order: Order) -> str:
    if order.status is OrderStatus.RESTING:
        return "PartiallyFilled" if order.executed_lots else "New"
    return _STATUSES[order.status]


def price(at: VenueMarket, ticks: int) -> str:
    """As REST writes it, without padding."""
    return at.market.instrument.price_text(ticks)


def padded_price(at: VenueMarket, ticks: int) -> str:
    """As streams write it, padded to the tick."""
    return format(at.market.instrument.price(ticks), "f")


def size(at: VenueMarket, lots: int) -> str:
    return at.market.instrument.size_text(lots)


def value(at: VenueMarket, tick_lots: int) -> str:
    """An amount of quote."""
    return plain(at.market.value(tick_lots))


def quantity(order: Order, at: VenueMarket) -> str | None:
    """The size asked for; an order by quote quantity has none."""
    return None if order.budget is not None else size(at, order.lots)


def quote_quantity(order: Order, at: VenueMarket) -> str:
    """The budget of a market order; computed by the venue when it was sent by size."""
    return value(at, order.executed_value if order.budget is None else order.budget)


def live_order(order: Order, at: VenueMarket) -> wire.Order:
    """An order as POST, GET and DELETE show it."""
    return _order(order, at, created_at=order.placed_ns // NS_PER_MS)


def past_order(order: Order, at: VenueMarket) -> wire.Order:
    """An order as the history shows it."""
    reason = EXPIRY_REASONS[order.expiry] if order.expiry else None
    return _order(order, at, created_at=iso_text(order.placed_ns), expiry_reason=reason, system_order_type=None)


def _order(order: Order, at: VenueMarket, *, created_at: wire.Moment, **more: str | None) -> wire.Order:
    is_market = order.is_market
    return wire.Order(
        order_type="Market" if is_market else "Limit",
        id=order_id(order.order_id),
        client_id=order.client_id,
        symbol=order.symbol,
        side=SIDES[order.side],
        quantity=quantity(order, at),
        quote_quantity=quote_quantity(order, at) if is_market else UNSET,
        executed_quantity=size(at, order.executed_lots),
        executed_quote_quantity=value(at, order.executed_value),
        price=UNSET if is_market else price(at, order.ticks),
        post_only=UNSET if is_market else order.post_only,
        time_in_force=TIMES_IN_FORCE[order.time_in_force],
        self_trade_prevention=SELF_TRADES[order.self_trade],
        status=status(order),
        reduce_only=order.reduce_only or None,
        created_at=created_at,
        **more,
    )


def fill(fill: ExchangeFill, at: VenueMarket) -> wire.Fill:
    return wire.Fill(
        client_id=None if fill.client_id is None else str(fill.client_id),
        fee=plain(fill.fee),
        fee_symbol=fill.fee_asset,
        is_maker=fill.is_maker,
        order_id=order_id(fill.order_id),
        price=price(at, fill.ticks),
        quantity=size(at, fill.lots),
        side=SIDES[fill.side],
        symbol=fill.symbol,
        timestamp=iso_text(fill.at_ns),
        trade_id=fill.trade_id,
    )


def balance(account: Account, asset: str) -> wire.Balance:
    return wire.Balance(available=plain(account.available(asset)), locked=plain(account.locked[asset]))


def position(position: PerpPosition, at: VenueMarket, user_id: int) -> wire.Position:
    """An open position. Liquidation is not simulated, so its price reads 0, as in captures of small ones."""
    initial, maintenance = wire_margin(at.market.initial_margin), wire_margin(at.market.maintenance_margin)
    if initial is None or maintenance is None:
        raise ValueError(f"{at.market.symbol} has no margin functions and so no positions")
    held = abs(at.market.instrument.size(position.lots))
    return wire.Position(
        symbol=at.market.symbol,
        position_id=str(POSITION_ID_BASE + position.position_id),
        net_quantity=size(at, position.lots),
        net_exposure_quantity=plain(held),
        net_exposure_notional=plain(held * at.mark),
        net_cost=plain(position.cost),
        entry_price=plain(position.entry_price(at.market)),
        break_even_price=plain(break_even_price(position, at)),
        mark_price=plain(at.mark),
        est_liquidation_price="0",
        imf=plain(imf(position, at)),
        mmf=plain(mmf(position, at)),
        imf_function=initial,
        mmf_function=maintenance,
        pnl_realized=plain(position.realised),
        pnl_unrealized=plain(position.unrealised(at.market, at.mark)),
        cumulative_funding_payment=plain(position.funding),
        cumulative_interest="0",
        user_id=user_id,
    )


def break_even_price(position: PerpPosition, at: VenueMarket) -> Decimal:
    """The price at which closing now would have earned nothing, fees paid so far included."""
    if not position.lots:
        return ZERO
    return (position.cost + position.fees) / at.market.instrument.size(position.lots)


def imf(position: PerpPosition, at: VenueMarket) -> Decimal:
    function = at.market.initial_margin
    return function.fraction(_notional(position, at)) if function else ZERO


def mmf(position: PerpPosition, at: VenueMarket) -> Decimal:
    function = at.market.maintenance_margin
    return function.fraction(_notional(position, at)) if function else ZERO


def _notional(position: PerpPosition, at: VenueMarket) -> Decimal:
    return abs(at.market.instrument.size(position.lots)) * at.mark
