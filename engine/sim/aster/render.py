"""Orders, trades, positions and balances of the exchange as Aster writes them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from msgspec import UNSET

from engine.clock import NS_PER_MS
from engine.exchanges.aster import wire
from engine.exchanges.aster.translate import POST_ONLY, SIDE_WORDS
from engine.model.instrument import plain
from engine.model.order import OrderStatus
from engine.sim.ledger import Account, PerpPosition
from engine.sim.matching import Level
from engine.sim.orders import ExchangeFill, Order
from engine.sim.venue_market import VenueMarket

ORDER_ID_BASE = 2_000_000_000
BOOK_ID_BASE, BOOK_ID_STRIDE = 156_391_000_000, 17
GRAIN = Decimal("0.00000001")
_STATUSES = {
    OrderStatus.FILLED: "FILLED",
    OrderStatus.CANCELED: "CANCELED",
    OrderStatus.EXPIRED: "EXPIRED",
    OrderStatus.REJECTED: "REJECTED",
}


def wire_id(at: VenueMarket, update_id: int) -> int:
    """The number of a book's state. Spot's follow each other; those of perps jump, and only `pu` tells a gap."""
    return BOOK_ID_BASE + BOOK_ID_STRIDE * update_id if at.market.is_perp else update_id


def levels(at: VenueMarket, side: Iterable[Level]) -> tuple[wire.PriceLevel, ...]:
    return tuple((price(at, ticks), size(at, lots)) for ticks, lots in side)


def order_id(number: int) -> int:
    return ORDER_ID_BASE + number


def order_number(text: str) -> int:
    """The inner number of an order id; an id of nobody's order when it is no number at all."""
    return int(text) - ORDER_ID_BASE if text.isdecimal() else -1


def status(order: Order) -> str:
    if order.status is OrderStatus.RESTING:
        return "PARTIALLY_FILLED" if order.executed_lots else "NEW"
    return _STATUSES[order.status]


def time_in_force(order: Order) -> str:
    return POST_ONLY if order.post_only else order.time_in_force.upper()


def order_type(order: Order) -> str:
    return "MARKET" if order.is_market else "LIMIT"


def price(at: VenueMarket, ticks: int) -> str:
    return at.market.instrument.price_text(ticks)


def size(at: VenueMarket, lots: int) -> str:
    return at.market.instrument.size_text(lots)


def limit_price(order: Order, at: VenueMarket) -> str:
    return "0" if order.is_market else price(at, order.ticks)


def average_price(order: Order, at: VenueMarket) -> str:
    if not order.executed_lots:
        return "0"
    average = at.market.instrument.tick_size * order.executed_value / order.executed_lots
    return plain(average.quantize(GRAIN))


def order(order: Order, at: VenueMarket) -> wire.Order:
    """As queries show it. Perps say more than spot."""
    is_perp, executed = at.market.is_perp, size(at, order.executed_lots)
    return wire.Order(
        order_id=order_id(order.order_id),
        symbol=order.symbol,
        status=status(order),
        client_order_id=str(order.client_id or ""),
        price=limit_price(order, at),
        avg_price=average_price(order, at),
        orig_qty=size(at, order.lots),
        executed_qty=executed,
        cum_qty=executed if is_perp else UNSET,
        cum_quote=plain(at.market.value(order.executed_value)),
        time_in_force=time_in_force(order),
        type=order_type(order),
        orig_type=order_type(order),
        side=SIDE_WORDS[order.side],
        reduce_only=order.reduce_only if is_perp else UNSET,
        close_position=False if is_perp else UNSET,
        position_side="BOTH" if is_perp else UNSET,
        working_type="CONTRACT_PRICE" if is_perp else UNSET,
        price_protect=False if is_perp else UNSET,
        order_list_id=UNSET if is_perp else -1,
        time=order.placed_ns // NS_PER_MS,
        update_time=order.updated_ns // NS_PER_MS,
    )


def trade(fill: ExchangeFill, at: VenueMarket, *, costs_are_negative: bool) -> wire.UserTrade:
    """Captures of perps have no `maker`, but the documentation does."""
    is_perp = at.market.is_perp
    return wire.UserTrade(
        id=fill.trade_id,
        order_id=order_id(fill.order_id),
        symbol=fill.symbol,
        side=SIDE_WORDS[fill.side],
        price=price(at, fill.ticks),
        qty=size(at, fill.lots),
        quote_qty=plain(at.market.value(fill.ticks * fill.lots)),
        commission=plain(-fill.fee if costs_are_negative else fill.fee),
        commission_asset=fill.fee_asset,
        realized_pnl="0" if is_perp else UNSET,
        margin_asset=at.quote if is_perp else UNSET,
        position_side="BOTH" if is_perp else UNSET,
        buyer=SIDE_WORDS[fill.side] == "BUY",
        maker=fill.is_maker,
        time=fill.at_ns // NS_PER_MS,
    )


def position(held: PerpPosition | None, at: VenueMarket, leverage: Decimal, now_ns: int) -> wire.Position:
    held = held or PerpPosition(0)
    return wire.Position(
        symbol=at.market.symbol,
        position_amt=size(at, held.lots),
        entry_price=plain(held.entry_price(at.market).quantize(GRAIN)),
        mark_price=plain(at.mark.quantize(GRAIN)),
        un_realized_profit=plain(held.unrealised(at.market, at.mark).quantize(GRAIN)),
        leverage=plain(leverage),
        update_time=now_ns // NS_PER_MS,
    )


def spot_balance(account: Account, asset: str) -> wire.SpotBalance:
    return wire.SpotBalance(asset=asset, free=plain(account.available(asset)), locked=plain(account.locked[asset]))
