"""POST order as Aster reads it: from parameters to an order of the exchange, or a refusal."""

from __future__ import annotations

import re
from decimal import Decimal

from engine.exchanges.aster.translate import POST_ONLY, SIDES
from engine.model.order import Side, TimeInForce
from engine.sim.aster.calls import Call
from engine.sim.aster.errors import ApiRefusal, invalid, not_simulated
from engine.sim.aster.markets import MULTIPLIER_DOWN, MULTIPLIER_UP
from engine.sim.orders import Order, SelfTrade
from engine.sim.venue_market import VenueMarket

CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
SIMULATED_TYPES = ("LIMIT", "MARKET")
MOST_QUANTITY = Decimal(2_000_000)

_TIMES_IN_FORCE = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    POST_ONLY: TimeInForce.GTC,
}
_SELF_TRADES = {
    "EXPIRE_TAKER": SelfTrade.REJECT_TAKER,
    "EXPIRE_MAKER": SelfTrade.REJECT_MAKER,
    "EXPIRE_BOTH": SelfTrade.REJECT_BOTH,
}


def read_order(call: Call, at: VenueMarket) -> Order:
    """The order asked for, on the market's grid; it has no id yet. Raises ApiRefusal."""
    side = SIDES.get(call.text("side"))
    if side is None:
        raise invalid("side")
    kind = call.text("type")
    if kind not in SIMULATED_TYPES:
        raise not_simulated(f"an order of type {kind}")
    order = _market_order(call, at, side) if kind == "MARKET" else _limit_order(call, at, side)
    order.reduce_only = _reduce_only(call, at)
    order.self_trade = _self_trade(call)
    order.client_id = _client_id(call)
    _check_notional(order, at)
    return order


def read_terms(call: Call, at: VenueMarket, side: Side) -> tuple[int, int]:
    """The ticks and lots an order is to have. Raises ApiRefusal."""
    ticks, lots = _ticks(call, at), _lots(call, at)
    _check_band(side, at.market.instrument.price(ticks), at)
    return ticks, lots


def _limit_order(call: Call, at: VenueMarket, side: Side) -> Order:
    word = call.text("timeInForce")
    if word not in _TIMES_IN_FORCE:
        raise not_simulated(f"timeInForce {word}")
    ticks = _ticks(call, at)
    _check_band(side, at.market.instrument.price(ticks), at)
    order = _order(call, at, side, ticks=ticks, lots=_lots(call, at))
    order.time_in_force, order.post_only = _TIMES_IN_FORCE[word], word == POST_ONLY
    return order


def _market_order(call: Call, at: VenueMarket, side: Side) -> Order:
    for name in ("timeInForce", "price"):
        if call.parameters.get(name):
            raise ApiRefusal(-1106, f"Parameter '{name}' sent when not required.")
    if call.parameters.get("quoteOrderQty") and not at.market.is_perp:
        budget = int(call.decimal("quoteOrderQty") / at.market.unit)
        order = _order(call, at, side, ticks=0, lots=max(1, budget))
        order.budget = budget
    else:
        order = _order(call, at, side, ticks=0, lots=_lots(call, at))
    order.is_market = True
    return order


def _order(call: Call, at: VenueMarket, side: Side, *, ticks: int, lots: int) -> Order:
    return Order(
        order_id=0,
        owner=call.account,
        symbol=at.market.symbol,
        side=side,
        ticks=ticks,
        lots=lots,
        placed_ns=call.now_ns,
    )


def _ticks(call: Call, at: VenueMarket) -> int:
    price = call.decimal("price")
    if price <= 0:
        raise ApiRefusal(-4001, "Price less than 0.")
    try:
        return at.market.instrument.ticks_exact(price)
    except ValueError:
        raise ApiRefusal(-4014, "Price not increased by tick size.") from None


def _lots(call: Call, at: VenueMarket) -> int:
    quantity = call.decimal("quantity")
    if quantity <= 0:
        raise ApiRefusal(-4003, "Quantity less than or equal to zero.")
    if quantity < at.market.instrument.min_size:
        raise ApiRefusal(-4004, "Quantity less than min quantity.")
    if quantity > MOST_QUANTITY:
        raise ApiRefusal(-4005, "Quantity greater than max quantity.")
    try:
        return at.market.instrument.lots_exact(quantity)
    except ValueError:
        raise ApiRefusal(-4023, "Qty not increased by step size.") from None


def _check_band(side: Side, price: Decimal, at: VenueMarket) -> None:
    if side is Side.BUY and price > at.mark * MULTIPLIER_UP:
        raise ApiRefusal(-4016, "Limit price can't be higher than the mark price allows.")
    if side is Side.SELL and price < at.mark * MULTIPLIER_DOWN:
        raise ApiRefusal(-4024, "Limit price can't be lower than the mark price allows.")


def _check_notional(order: Order, at: VenueMarket) -> None:
    """A market order counts at mark; what only reduces may be of any size."""
    instrument = at.market.instrument
    price = at.mark if order.is_market else instrument.price(order.ticks)
    worth = price * instrument.size(order.lots)
    if order.budget is not None:
        worth = at.market.value(order.budget)
    if worth < instrument.min_notional and not order.reduce_only:
        raise ApiRefusal(-4164, f"Order's notional must be no smaller than {instrument.min_notional}.")


def _reduce_only(call: Call, at: VenueMarket) -> bool:
    if call.flag("closePosition"):
        raise not_simulated("closePosition")
    if call.parameters.get("positionSide", "BOTH") != "BOTH":
        raise ApiRefusal(-4061, "Order's position side does not match user's setting.")
    return call.flag("reduceOnly") and at.market.is_perp


def _self_trade(call: Call) -> SelfTrade:
    word = call.parameters.get("stpMode", "EXPIRE_TAKER")
    if word not in _SELF_TRADES:
        raise invalid("stpMode")
    return _SELF_TRADES[word]


def _client_id(call: Call) -> str:
    """Unique among the account's open orders; made up when there is none."""
    text = call.parameters.get("newClientOrderId", "")
    if not text:
        return f"web_{call.state.exchange.next_order_id()}"
    if not CLIENT_ID.fullmatch(text):
        raise ApiRefusal(-4015, "Client order id is not valid.")
    if any(order.client_id == text for order in call.state.exchange.open_orders(call.account)):
        raise ApiRefusal(-4116, "ClientOrderId is duplicated.")
    return text
