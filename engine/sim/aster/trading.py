"""The order routes: place, place many, look at, amend, cancel, cancel many, cancel all, and the countdown."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from engine.clock import NS_PER_MS
from engine.exchanges.aster import wire
from engine.sim.aster import render
from engine.sim.aster.calls import Call
from engine.sim.aster.errors import ApiRefusal, invalid, missing, no_such_order, order_refused, unknown_order
from engine.sim.aster.orders import read_order, read_terms
from engine.sim.orders import Order, OrderRefused

BATCH_MOST, CANCELS_MOST = 5, 10


def place(call: Call) -> wire.Order:
    """POST order. With newOrderRespType=RESULT an order that does not rest is told as it ended; the usual ACK says
    NEW whatever happened, and the stream tells the rest."""
    at = call.market()
    order = read_order(call, at)
    order.order_id = call.state.exchange.next_order_id()
    try:
        call.state.exchange.place(order)
    except OrderRefused as refused:
        raise order_refused(refused.refusal, call.state.settings) from None
    placed = render.order(order, at)
    if call.parameters.get("newOrderRespType", "ACK") == "RESULT" and (order.is_market or not _is_plain(order)):
        return placed
    return _acknowledgement(placed)


def place_many(call: Call) -> list[object]:
    """POST batchOrders: answered element by element; a refused one does not touch the others."""
    elements = _json_list(call, "batchOrders", BATCH_MOST)
    return [_each(call, element, place) for element in elements]


def find(call: Call) -> wire.Order:
    """GET order: open or closed."""
    return render.order(_known_order(call), call.market())


def find_open(call: Call) -> wire.Order:
    """GET openOrder."""
    order = _open_order(call)
    if order is None:
        raise no_such_order()
    return render.order(order, call.market())


def find_all_open(call: Call) -> list[wire.Order]:
    """GET openOrders."""
    symbol = call.market().market.symbol if call.parameters.get("symbol") else None
    exchange = call.state.exchange
    orders = exchange.open_orders(call.account, symbol)
    return [render.order(order, exchange.markets[order.symbol]) for order in orders]


def find_all(call: Call) -> list[wire.Order]:
    """GET allOrders: the newest page, oldest first."""
    at, least = call.market(), render.order_number(call.parameters.get("orderId", "0"))
    found = [
        order
        for order in call.state.exchange.order_history(call.account)
        if order.symbol == at.market.symbol
        and order.order_id >= least
        and call.within(order.placed_ns // NS_PER_MS)
    ]
    return [render.order(order, at) for order in reversed(found[: call.limit()])]


def amend(call: Call) -> wire.Order:
    """PUT order: price and whole quantity of a resting limit order. A refused amend leaves the order as it was."""
    at, order = call.market(), _open_order(call)
    if order is None:
        raise no_such_order()
    ticks, lots = read_terms(call, at, order.side)
    try:
        call.state.exchange.amend(order, ticks=ticks, lots=lots, now_ns=call.now_ns)
    except OrderRefused as refused:
        raise order_refused(refused.refusal, call.state.settings) from None
    return render.order(order, at)


def cancel(call: Call) -> wire.Order:
    """DELETE order."""
    at, order = call.market(), _open_order(call)
    if order is None:
        raise unknown_order()
    call.state.exchange.cancel(order, call.now_ns)
    return render.order(order, at)


def cancel_many(call: Call) -> list[object]:
    """DELETE batchOrders: by orderIdList or origClientOrderIdList."""
    name, field = "orderIdList", "orderId"
    if not call.parameters.get(name):
        name, field = "origClientOrderIdList", "origClientOrderId"
    which = _json_list(call, name, CANCELS_MOST)
    symbol = call.text("symbol")
    return [_each(call, {"symbol": symbol, field: str(one)}, cancel) for one in which]


def cancel_all(call: Call) -> dict[str, object]:
    """DELETE allOpenOrders: the code is text for perps and a number for spot."""
    at = call.market()
    for order in call.state.exchange.open_orders(call.account, at.market.symbol):
        call.state.exchange.cancel(order, call.now_ns)
    code: object = "200" if at.market.is_perp else 200
    return {"code": code, "msg": "The operation of cancel all open order is done."}


def _each(call: Call, element: Any, handler: Callable[[Call], wire.Order]) -> object:
    if not isinstance(element, dict):
        return invalid("batchOrders").error()
    texts = {str(name): _text(value) for name, value in element.items()}
    try:
        return handler(call.with_parameters(texts))
    except ApiRefusal as refusal:
        return refusal.error()


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json_list(call: Call, name: str, most: int) -> list[Any]:
    """A list parameter; official samples write it with single quotes."""
    text = call.text(name)
    for spelling in (text, text.replace("'", '"')):
        try:
            listed = json.loads(spelling)
        except ValueError:
            continue
        if isinstance(listed, list) and 0 < len(listed) <= most:
            return listed
    raise invalid(name)


def _is_plain(order: Order) -> bool:
    return order.may_rest and not order.post_only


def _acknowledgement(placed: wire.Order) -> wire.Order:
    return wire.Order(
        **{name: getattr(placed, name) for name in placed.__struct_fields__}
        | {"status": "NEW", "executed_qty": "0", "cum_quote": "0", "avg_price": "0"}
    )


def _known_order(call: Call) -> Order:
    symbol = call.market().market.symbol
    for order in call.state.exchange.order_history(call.account):
        if order.symbol == symbol and _is_meant(call, order):
            return order
    raise no_such_order()


def _open_order(call: Call) -> Order | None:
    symbol = call.market().market.symbol
    orders = call.state.exchange.open_orders(call.account, symbol)
    return next((order for order in orders if _is_meant(call, order)), None)


def _is_meant(call: Call, order: Order) -> bool:
    """By orderId, which is stronger, or by origClientOrderId."""
    number, text = call.parameters.get("orderId"), call.parameters.get("origClientOrderId")
    if number:
        return order.order_id == render.order_number(number)
    if text:
        return order.client_id == text
    raise missing("orderId")
