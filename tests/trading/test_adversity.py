"""Ways limits, cancels and flattening could go wrong while news is late: found by attacking the machine."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from engine.clock import NS_PER_S
from engine.model.account import Position
from engine.model.commands import Command
from engine.model.events import PositionReported, StopRequested, SubmitRejected
from engine.model.order import OrderRequest, OrderStatus, RejectReason, Side
from engine.spec.types import StopPolicy
from engine.trading.records import OrderState
from tests.trading.desk_bench import (
    LEG,
    PERP,
    SPOT,
    Bench,
    asked,
    bot_spec,
    canceled,
    report_of,
    side_of,
    submitted,
)


def next_round(bench: Bench, **answers: Any) -> list[Command]:
    """Wait until the venue is asked, and answer."""
    for _ in range(40):
        if asked(bench.wait(1)):
            return bench.answer(**answers)
    raise AssertionError("nothing was asked")


def resting(*requests: OrderRequest) -> Any:
    return tuple(report_of(request, OrderStatus.RESTING) for request in requests)


def test_a_cancel_that_was_acknowledged_and_did_nothing_is_sent_again() -> None:
    bench = Bench()
    sent = bench.quoting()
    assert len(canceled(bench.book(9_900, 9_920))) == 2
    assert not canceled(bench.wait(1))
    assert len(canceled(next_round(bench, open_orders=resting(*sent)))) == 2


def test_lots_executed_before_their_fill_is_heard_count_against_the_limit() -> None:
    bench = Bench(spec=bot_spec(PERP, max_position=Decimal(3), order_size="2", layers=2, refill_below="0.9"))
    bids = [request for request in bench.quoting() if request.side is Side.BUY]
    assert [bid.lots for bid in bids] == [200, 100]
    commands = bench.accept(bids[0], executed_lots=150)
    commands += bench.book(9_991, 10_011) + bench.wait(1)
    assert not [request for request in submitted(commands) if request.side is Side.BUY]


def test_an_unexplained_position_keeps_blocking_although_fills_go_on() -> None:
    bench = Bench()
    bid, ask = bench.quoting()
    for _ in range(2):
        next_round(bench, open_orders=resting(bid, ask), position_lots=200)
    bench.fill(ask, 100)
    bench.update(ask, OrderStatus.FILLED, executed_lots=100)
    next_round(bench, open_orders=resting(bid), position_lots=100)
    commands = bench.book(9_950, 9_970) + bench.update(bid, OrderStatus.CANCELED) + bench.wait(1)
    assert not [request for request in submitted(commands) if request.side is Side.BUY]


def worst_cost(*orders: OrderRequest) -> Decimal:
    return sum((SPOT.notional(order.ticks, order.lots) for order in orders if order.side is Side.BUY), Decimal(0))


def test_money_behind_an_order_that_is_being_cancelled_is_not_spent_again() -> None:
    bench = Bench(
        instrument=SPOT, spec=bot_spec(SPOT, capital={"base": "0", "quote": "1000"}, order_size="5", layers=2)
    )
    bids = bench.quoting()
    assert [bid.side for bid in bids] == [Side.BUY, Side.BUY]
    commands = bench.fill(bids[0], bids[0].lots)
    for _ in range(5):
        commands += bench.book(9_990, 10_010) + bench.wait(1)
    assert worst_cost(*bids, *submitted(commands)) <= 1000


def test_rebalancing_and_quoting_do_not_spend_the_same_money() -> None:
    spec = bot_spec(
        SPOT, capital={"base": "0", "quote": "1000"}, order_size="5", layers=2, rebalance_threshold_pct="5"
    )
    bench = Bench(instrument=SPOT, spec=spec)
    bench.connect()
    sent = submitted(bench.book(9_990, 10_010))
    assert sent[0].slot == "inventory"
    assert worst_cost(*sent) <= 1000


def flattening(**limits: Any) -> Bench:
    """A bot that is long 1.00 by its own fills."""
    bench = Bench(spec=bot_spec(PERP, stop_policy=StopPolicy.FLATTEN, **limits))
    bid = side_of(bench.quoting(), Side.BUY)
    bench.fill(bid, 100)
    return bench


def stop(bench: Bench, venue_lots: int) -> list[OrderRequest]:
    position = Position(lots=venue_lots)
    bench.feed(PositionReported(at_ns=bench.now_ns, leg=LEG, requested_ns=None, position=position))
    bench.feed(StopRequested(at_ns=bench.now_ns, leg="", why="test"))
    commands: list[Command] = []
    for order in [order for order in bench.orders.values() if not order.state.is_done]:
        commands += bench.update(order.request, OrderStatus.CANCELED)
    return submitted(commands + bench.wait(1) + bench.wait(1))


def test_flattening_reduces_what_the_venue_has_when_that_is_less() -> None:
    bench = flattening()
    (order,) = stop(bench, venue_lots=60)
    assert (order.lots, order.reduce_only) == (60, True)


def test_quotes_leave_some_of_the_order_rate_to_flattening() -> None:
    bench = flattening(max_orders_per_minute=20)
    for tick in range(30):
        commands = bench.book(9_900 - 20 * tick, 9_920 - 20 * tick)
        for order in [order for order in bench.orders.values() if order.state is OrderState.CANCEL_PENDING]:
            commands += bench.update(order.request, OrderStatus.CANCELED)
        for request in submitted(commands):
            bench.accept(request)
    assert len(bench.orders) == 18
    (order,) = stop(bench, venue_lots=100)
    assert (order.lots, order.reduce_only) == (100, True)


def test_a_slot_the_venue_took_an_order_for_owes_nothing_for_earlier_refusals() -> None:
    bench = Bench()
    bench.connect()
    bid = side_of(submitted(bench.book(9_990, 10_010)), Side.BUY)
    for _ in range(12):
        words = {"reason": RejectReason.WOULD_CROSS, "venue_words": "would cross"}
        bench.feed(SubmitRejected(at_ns=bench.now_ns, leg=LEG, client_id=bid.client_id, **words))
        bid = side_of(submitted(bench.wait(1)), Side.BUY)
        bench.accept(bid)
        bench.now_ns += 10 * NS_PER_S
        bid = side_of(submitted(bench.update(bid, OrderStatus.CANCELED)), Side.BUY)


def test_a_clock_set_back_between_two_lives_delays_no_answer() -> None:
    bench = Bench()
    bench.connect()
    bench.book(9_990, 10_010)
    again = bench.restarted()
    again.now_ns -= 600 * NS_PER_S
    again.connect()
    for _ in range(8):
        next_round(again)
    assert {order.state for order in again.orders.values()} == {OrderState.REJECTED}
    assert len(submitted(again.book(9_990, 10_010))) == 2
