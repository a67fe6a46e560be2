"""POST /api/v1/order as Backpack reads it: from a wire order to an order of the exchange, or a refusal."""

from __future__ import annotations

from decimal import Decimal

from msgspec import UNSET, UnsetType

from engine.exchanges.backpack.wire import NewOrder
from engine.exchanges.decimals import exact
from engine.model.order import Side, TimeInForce
from engine.sim.backpack.errors import ApiRefusal, invalid_request, not_simulated, unparsable_body
from engine.sim.backpack.render import SELF_TRADES, SIDES, TIMES_IN_FORCE
from engine.sim.orders import Order, SelfTrade
from engine.sim.venue_market import VenueMarket

CLIENT_ID_MAX = (1 << 32) - 1

_SIDES = {word: side for side, word in SIDES.items()}
_TIMES_IN_FORCE = {word: time for time, word in TIMES_IN_FORCE.items()}
_SELF_TRADES = {word: rule for rule, word in SELF_TRADES.items()}


def read_order(new: NewOrder, at: VenueMarket, account: str) -> Order:
    """The order asked for, on the market's grid; it has no id and no time yet. Raises ApiRefusal."""
    side = _SIDES.get(new.side)
    if side is None:
        raise unparsable_body('failed to parse "Side": Expect a valid enumeration value.')
    if new.order_type not in ("Limit", "Market"):
        raise unparsable_body('failed to parse "OrderType": Expect a valid enumeration value.')
    _refuse_triggers(new)
    order = _market_order(new, at, side) if new.order_type == "Market" else _limit_order(new, at, side)
    order.owner = account
    order.time_in_force = _time_in_force(new)
    order.self_trade = _self_trade(new)
    order.client_id = _client_id(new)
    order.post_only, order.reduce_only = new.post_only is True, new.reduce_only is True
    _check_flags(order, at)
    return order


def _limit_order(new: NewOrder, at: VenueMarket, side: Side) -> Order:
    if new.price is UNSET or new.quantity is UNSET or new.quote_quantity is not UNSET:
        raise invalid_request("Limit orders must specify `price` and `quantity`")
    return _order(at, side, ticks=_ticks(new.price, at), lots=_lots(new.quantity, at))


def _market_order(new: NewOrder, at: VenueMarket, side: Side) -> Order:
    if (new.quantity is UNSET) == (new.quote_quantity is UNSET):
        raise invalid_request("Must specify either `quantity` or `quoteQuantity`")
    if new.quantity is not UNSET:
        return _order(at, side, ticks=0, lots=_lots(new.quantity, at), is_market=True)
    budget = int(_decimal(new.quote_quantity, "quoteQuantity") / at.market.unit)
    if budget <= 0:
        raise ApiRefusal(400, "INVALID_QUANTITY", "Quote quantity must be above zero")
    order = _order(at, side, ticks=0, lots=budget, is_market=True)
    order.budget = budget
    return order


def _order(at: VenueMarket, side: Side, *, ticks: int, lots: int, is_market: bool = False) -> Order:
    return Order(
        order_id=0,
        owner="",
        symbol=at.market.symbol,
        side=side,
        ticks=ticks,
        lots=lots,
        placed_ns=0,
        is_market=is_market,
    )


def _ticks(text: str | UnsetType, at: VenueMarket) -> int:
    price = _decimal(text, "price")
    if price <= 0:
        raise ApiRefusal(400, "INVALID_PRICE", "Price must be above zero")
    try:
        return at.market.instrument.ticks_exact(price)
    except ValueError:
        raise ApiRefusal(400, "INVALID_PRICE", "Price decimal too long") from None


def _lots(text: str | UnsetType, at: VenueMarket) -> int:
    quantity = _decimal(text, "quantity")
    if quantity < at.market.instrument.min_size:
        raise ApiRefusal(400, "INVALID_QUANTITY", "Quantity is below the minimum quantity")
    try:
        return at.market.instrument.lots_exact(quantity)
    except ValueError:
        raise ApiRefusal(400, "INVALID_QUANTITY", "Quantity decimal too long") from None


def _decimal(text: str | UnsetType, name: str) -> Decimal:
    try:
        return exact(str(text))
    except ValueError:
        raise unparsable_body(f'failed to parse "Decimal" in `{name}`') from None


def _time_in_force(new: NewOrder) -> TimeInForce:
    if new.time_in_force is UNSET:
        return TimeInForce.GTC
    if new.time_in_force not in _TIMES_IN_FORCE:
        raise unparsable_body('failed to parse "TimeInForce": Expect a valid enumeration value.')
    return _TIMES_IN_FORCE[new.time_in_force]


def _self_trade(new: NewOrder) -> SelfTrade:
    if new.self_trade_prevention is UNSET:
        return SelfTrade.REJECT_TAKER
    if new.self_trade_prevention not in _SELF_TRADES:
        raise unparsable_body('failed to parse "SelfTradePrevention": Expect a valid enumeration value.')
    return _SELF_TRADES[new.self_trade_prevention]


def _client_id(new: NewOrder) -> int | None:
    if new.client_id is UNSET:
        return None
    if not isinstance(new.client_id, int) or not 0 <= new.client_id <= CLIENT_ID_MAX:
        raise unparsable_body('failed to parse "integer(uint32)" in `clientId`')
    return new.client_id


def _check_flags(order: Order, at: VenueMarket) -> None:
    if order.post_only and not order.may_rest:
        raise ApiRefusal(400, "INVALID_ORDER", "Post only orders must be GTC limit orders")
    if order.reduce_only and not at.market.is_perp:
        raise ApiRefusal(400, "INVALID_ORDER", "Reduce only orders are for futures markets")


def _refuse_triggers(new: NewOrder) -> None:
    if (new.trigger_price is UNSET) != (new.trigger_quantity is UNSET):
        raise invalid_request("Must specify both `triggerPrice` and `triggerQuantity` or neither")
    if new.trigger_price is not UNSET:
        raise not_simulated("a trigger order")
    if new.stop_loss_trigger_price is not UNSET or new.take_profit_trigger_price is not UNSET:
        raise not_simulated("an attached stop loss or take profit")
