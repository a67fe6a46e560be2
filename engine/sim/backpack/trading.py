"""The order routes: place, place many, look at, cancel, cancel all."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import UNSET, UnsetType

from engine.clock import NS_PER_MS
from engine.exchanges.backpack import wire
from engine.exchanges.messages import HttpResponse
from engine.model.order import OrderStatus
from engine.sim.backpack import render
from engine.sim.backpack.calls import Call, Later
from engine.sim.backpack.errors import ApiRefusal, invalid_request, not_found, order_refused, unparsable_body
from engine.sim.backpack.orders import read_order
from engine.sim.orders import Order, OrderRefused
from engine.sim.past import orders_as_of
from engine.sim.venue_market import VenueMarket


def place(call: Call) -> object:
    """POST /api/v1/order. Orders that may take wait out the speed bump; everything else is known at once."""
    new = call.decode(wire.NewOrder)
    at = _named_market(call, new.symbol)
    order = read_order(new, at, call.account)

    def finish(now_ns: int) -> wire.Order:
        return _enter(call, order, at, now_ns)

    return _after_speed_bump(call, finish, waits=not order.post_only)


def place_many(call: Call) -> object:
    """POST /api/v1/orders: answered element by element; a refused one does not touch the others."""
    elements = call.decode(list[wire.NewOrder])

    def finish(now_ns: int) -> list[object]:
        return [_batch_element(call, new, now_ns) for new in elements]

    return _after_speed_bump(call, finish, waits=any(new.post_only is not True for new in elements))


def find(call: Call) -> wire.Order:
    """GET /api/v1/order: only while it rests."""
    at = call.market()
    order = _open_order(call, at.market.symbol, call.query.get("orderId"), call.query.get("clientId"))
    return render.live_order(order, at)


def find_all(call: Call) -> list[wire.Order]:
    """GET /api/v1/orders."""
    symbol = call.query.get("symbol")
    kind = call.query.get("marketType")
    markets = call.state.exchange.markets
    if symbol is not None:
        call.market()
    return [
        render.live_order(order, markets[order.symbol])
        for order in _seen_open(call, symbol)
        if kind is None or kind == market_type(markets[order.symbol])
    ]


def cancel(call: Call) -> object:
    """DELETE /api/v1/order."""
    which = call.decode(wire.CancelOne)
    at = _named_market(call, which.symbol)
    order = _open_order(call, which.symbol, which.order_id, which.client_id)
    return _cancelled(call, [order], lambda: render.live_order(order, at))


def cancel_all(call: Call) -> object:
    """DELETE /api/v1/orders: one market's resting orders; there are no conditional ones."""
    which = call.decode(wire.CancelAll)
    at = _named_market(call, which.symbol)
    orders = call.state.exchange.open_orders(call.account, which.symbol)
    if which.order_type == "ConditionalOrder":
        orders = []
    return _cancelled(call, orders, lambda: [render.live_order(order, at) for order in orders])


def market_type(at: VenueMarket) -> str:
    return "PERP" if at.market.is_perp else "SPOT"


def _named_market(call: Call, symbol: str) -> VenueMarket:
    """The market a body names; an unknown one counts as a body that cannot be parsed."""
    if symbol not in call.state.exchange.markets:
        raise unparsable_body('failed to parse "MarketSymbol": Invalid market symbol')
    return call.state.market(symbol, call.now_ns)


def _after_speed_bump(call: Call, finish: Callable[[int], object], *, waits: bool) -> object:
    delay_ns = call.state.settings.taker_delay_ms * NS_PER_MS
    return Later(call.now_ns + delay_ns, finish) if waits and delay_ns else finish(call.now_ns)


def _enter(call: Call, order: Order, at: VenueMarket, now_ns: int) -> wire.Order:
    """The order reaches the book."""
    exchange = call.state.exchange
    if not call.state.settings.allow_duplicate_client_ids and order.client_id is not None:
        live = exchange.open_orders(call.account)
        if any(other.client_id == order.client_id for other in live):
            raise ApiRefusal(400, "INVALID_ORDER", "Duplicate client id")
    order.order_id, order.placed_ns = exchange.next_order_id(), now_ns
    try:
        exchange.place(order)
    except OrderRefused as refused:
        raise order_refused(refused.refusal) from None
    return render.live_order(order, at)


def _batch_element(call: Call, new: wire.NewOrder, now_ns: int) -> object:
    try:
        at = _named_market(call, new.symbol)
        placed = _enter(call, read_order(new, at, call.account), at, now_ns)
    except ApiRefusal as refusal:
        return wire.BatchError(code=refusal.code or "INVALID_CLIENT_REQUEST", message=refusal.message)
    return wire.BatchOrder(**{name: getattr(placed, name) for name in placed.__struct_fields__})


def _seen_open(call: Call, symbol: str | None) -> list[Order]:
    """The open orders as the venue's list has them, which may be behind."""
    exchange = call.state.exchange
    if call.seen_ns == call.now_ns:
        return exchange.open_orders(call.account, symbol)
    orders = reversed(orders_as_of(exchange, call.account, call.seen_ns))
    return [o for o in orders if o.status is OrderStatus.RESTING and symbol in (None, o.symbol)]


def _open_order(
    call: Call, symbol: str, order_id: wire.Id | UnsetType | None, client_id: int | str | UnsetType | None
) -> Order:
    """The resting order meant by exactly one of two ids. With a client id used twice, the oldest."""
    by_order, by_client = order_id not in (None, UNSET), client_id not in (None, UNSET)
    if by_order == by_client:
        raise invalid_request("Must specify exactly one of `orderId` or `clientId`")
    number = render.order_number(str(order_id)) if by_order else None
    for order in call.state.exchange.open_orders(call.account, symbol):
        if order.order_id == number or (by_client and str(order.client_id) == str(client_id)):
            return order
    raise not_found()


def _cancelled(call: Call, orders: list[Order], answer: Callable[[], object]) -> object:
    """Cancel now and answer, or answer 202 now and cancel later."""
    exchange, settings = call.state.exchange, call.state.settings
    if not settings.accept_cancels_only:
        for order in orders:
            exchange.cancel(order, call.now_ns)
        return answer()

    def finish(now_ns: int) -> None:
        for order in orders:
            exchange.cancel(order, now_ns)

    call.schedule.at(call.now_ns + settings.cancel_delay_ms * NS_PER_MS, finish)
    return HttpResponse(status=202)
