"""What a leg keeps of the past has an end: the newest is there, the oldest is forgotten."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from engine.model.account import Fill
from engine.model.ids import ClientIdScheme
from engine.model.order import Liquidity, OrderReport, OrderRequest, OrderStatus, Side
from engine.trading.lifecycle import OwnOrder
from engine.trading.orders import DONE_KEPT, FILLS_KEPT, OwnOrders, Sequence

SCHEME = ClientIdScheme(tag_bits=8, sequence_bits=24)


def own_orders() -> OwnOrders:
    return OwnOrders(SCHEME, 1, Sequence(0))


def rejected(orders: OwnOrders) -> OwnOrder:
    """An order that came and went."""
    client_id = orders.upcoming_id()
    request = OrderRequest(leg="main", client_id=client_id, slot="bid.0", side=Side.BUY, ticks=100, lots=1)
    order = OwnOrder(request, submitted_ns=0, dead_after_ns=1)
    orders.issue(order)
    report = OrderReport(
        venue_order_id=f"v{client_id}",
        client_id=client_id,
        side=Side.BUY,
        ticks=100,
        lots=1,
        executed_lots=0,
        status=OrderStatus.CANCELED,
    )
    order.reported(report, 1)
    orders.touched(order)
    return order


def fill(number: int) -> Fill:
    return Fill(
        trade_id=str(number),
        venue_order_id="v1",
        client_id=1,
        side=Side.BUY,
        ticks=100,
        lots=1,
        fee=Decimal(0),
        fee_asset="USDC",
        liquidity=Liquidity.MAKER,
        at_ns=0,
    )


def test_the_oldest_done_orders_are_forgotten_by_both_their_ids() -> None:
    orders = own_orders()
    oldest, *_, newest = [rejected(orders) for _ in range(DONE_KEPT + 1)]
    assert orders.find(oldest.request.client_id) is None
    assert orders.find(None, oldest.venue_order_id) is None
    assert orders.find(newest.request.client_id) is orders.find(None, newest.venue_order_id) is newest
    assert not list(orders.live)


def test_the_oldest_fills_are_forgotten_and_the_newest_count_once() -> None:
    orders = own_orders()
    assert all(orders.count_once(fill(number)) for number in range(FILLS_KEPT + 1))
    assert orders.count_once(fill(0))
    assert not orders.count_once(fill(FILLS_KEPT))


def test_a_fill_of_an_order_that_is_known_counts_once_however_many_came_after_it() -> None:
    """A grid's order may rest for months, partly filled, and is asked for with all its fills."""
    orders = own_orders()
    resting = rejected(orders)
    first = replace(fill(0), venue_order_id=str(resting.venue_order_id))
    assert orders.count_once(first)
    for number in range(1, 2 * FILLS_KEPT):
        orders.count_once(fill(number))
    assert not orders.count_once(first)
    assert orders.count_once(fill(1))
