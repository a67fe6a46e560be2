"""Orders that move where they rest: what is sent, what counts while nobody knows, and how it is found out."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from engine.model.commands import AmendOrder, Command
from engine.model.events import AmendRejected, OrderAmended, OrderUpdated, OutcomeUnknown
from engine.model.order import Operation, OrderRequest, OrderStatus, RejectReason, Side
from engine.model.target import LegTarget, Quote
from engine.trading.desk import Desk
from engine.trading.diff import diff_book
from engine.trading.lifecycle import OwnOrder
from engine.trading.purse import Purse
from engine.trading.records import OrderState
from tests.trading.desk_bench import (
    LEG,
    PLENTY,
    Bench,
    amended,
    asked,
    canceled,
    fill_of,
    report_of,
    side_of,
    submitted,
)

RESTING = OrderStatus.RESTING
BOUGHT = OrderRequest(
    leg=LEG, client_id=(7 << 24) | 1, slot="bid.0", side=Side.BUY, ticks=100, lots=10, post_only=True
)


def moved(bench: Bench) -> tuple[OrderRequest, AmendOrder]:
    """A bid, and the amend that a rising market makes of it."""
    bid = side_of(bench.quoting(), Side.BUY)
    amends = amended(bench.book(10_090, 10_110))
    return bid, next(amend for amend in amends if amend.order.request.client_id == bid.client_id)


def new_terms(amend: AmendOrder) -> OrderRequest:
    return replace(amend.order.request, lots=amend.whole_lots)


def state(bench: Bench, request: OrderRequest) -> OrderState:
    return bench.orders[request.client_id].state


def answered(bench: Bench, amend: AmendOrder) -> list[Command]:
    bench.now_ns += 1_000_000
    report = report_of(new_terms(amend), RESTING)
    return bench.feed(OrderAmended(at_ns=bench.now_ns, leg=LEG, report=report))


def refused(bench: Bench, amend: AmendOrder, reason: RejectReason) -> list[Command]:
    bench.now_ns += 1_000_000
    client_id = amend.order.request.client_id
    return bench.feed(AmendRejected(at_ns=bench.now_ns, leg=LEG, client_id=client_id, reason=reason))


def lost(bench: Bench, amend: AmendOrder) -> list[Command]:
    bench.now_ns += 1_000_000
    client_id, operation = amend.order.request.client_id, Operation.AMEND
    return bench.feed(
        OutcomeUnknown(at_ns=bench.now_ns, leg=LEG, client_id=client_id, operation=operation, why="timeout")
    )


def shown(bench: Bench, request: OrderRequest, *, updated_ns: int) -> list[Command]:
    """The stream tells how the order stands, dated by the venue."""
    bench.now_ns += 1_000_000
    report = report_of(request, RESTING, updated_ns=updated_ns)
    return bench.feed(OrderUpdated(at_ns=bench.now_ns, leg=LEG, report=report))


# What is sent ------------------------------------------------------------------------------------------------


def test_a_price_that_moved_amends_the_order_instead_of_replacing_it() -> None:
    bench = Bench(can_amend=True)
    bid, amend = moved(bench)
    assert amend.order.request.ticks > bid.ticks and amend.whole_lots == bid.lots
    assert bench.orders[bid.client_id].amended == new_terms(amend)
    assert state(bench, bid) is OrderState.AMEND_PENDING
    answered(bench, amend)
    assert state(bench, bid) is OrderState.ACCEPTED
    assert bench.orders[bid.client_id].request == new_terms(amend)


def test_without_the_capability_an_order_is_cancelled_and_placed_anew() -> None:
    bench = Bench()
    bid = side_of(bench.quoting(), Side.BUY)
    commands = bench.book(10_090, 10_110)
    assert not amended(commands) and bid.client_id in canceled(commands)


def test_a_slot_with_an_amend_under_way_gets_nothing_new() -> None:
    bench = Bench(can_amend=True)
    _, amend = moved(bench)
    commands = bench.book(10_190, 10_210)
    assert not submitted(commands) and not amended(commands) and not canceled(commands)
    assert amended(answered(bench, amend))


def test_an_amend_counts_what_was_executed_so_that_a_fill_on_the_way_makes_less_remain() -> None:
    bench = Bench(can_amend=True)
    bid = side_of(bench.quoting(), Side.BUY)
    bench.fill(bid, 30)
    bench.accept(bid, 30)
    amend = next(each for each in amended(bench.book(10_090, 10_110)) if each.venue_order_id == f"v{bid.client_id}")
    assert amend.executed_lots == 30 and amend.whole_lots == 30 + amend.order.request.lots


def test_every_amend_counts_towards_the_order_rate() -> None:
    bench = Bench(can_amend=True)
    bench.quoting()
    for step in range(1, 700):
        for amend in amended(bench.book(9_990 + 10 * step, 10_010 + 10 * step)):
            answered(bench, amend)
    sent = [record for record in bench.orders.values() if record.request.ticks > 14_000]
    assert not sent


def resting(request: OrderRequest, *fills: int) -> OwnOrder:
    order = OwnOrder(request, submitted_ns=0, dead_after_ns=5)
    for lots in fills:
        order.filled(fill_of(request, lots, f"t{lots}"), 1)
    order.reported(report_of(request, RESTING, sum(fills)), 1)
    return order


def quote(**changes: object) -> Quote:
    return replace(Quote(slot="bid.0", side=Side.BUY, ticks=100, lots=10), **changes)


@pytest.mark.parametrize(
    ("wanted", "terms"),
    [
        (quote(ticks=110), (110, 10)),
        (quote(ticks=101, lots=4), (100, 4)),
        (quote(ticks=110, lots=4), (110, 4)),
    ],
)
def test_what_an_order_becomes(wanted: Quote, terms: tuple[int, int]) -> None:
    live = {"bid.0": [resting(BOUGHT)]}
    diff = diff_book([wanted], live, threshold_ticks=2, min_lots=1, can_amend=True)
    [amendment] = diff.amendments
    assert (amendment.wanted.ticks, amendment.wanted.lots) == terms
    assert not diff.cancels and not diff.placements


@pytest.mark.parametrize(
    ("wanted", "more"),
    [
        (quote(ticks=110, side=Side.SELL), ()),
        (quote(ticks=110, reduce_only=True), ()),
        (quote(ticks=110, post_only=False), ()),
        (quote(ticks=110), (replace(BOUGHT, client_id=(7 << 24) | 2, slot="bid.0+2"),)),
    ],
)
def test_what_an_amend_cannot_change_is_cancelled(wanted: Quote, more: tuple[OrderRequest, ...]) -> None:
    live = {"bid.0": [resting(BOUGHT), *map(resting, more)]}
    diff = diff_book([wanted], live, threshold_ticks=2, min_lots=1, can_amend=True)
    assert len(diff.cancels) == 1 + len(more) and not diff.amendments


def test_a_post_only_order_is_taken_away_rather_than_moved_through_the_market() -> None:
    bench = Bench(can_amend=True)
    bid = side_of(bench.quoting(), Side.BUY)
    leg = bench.machine._legs[LEG]
    crossing = Quote(slot=bid.slot, side=Side.BUY, ticks=10_010, lots=bid.lots)
    commands = Desk(leg, bench.now_ns, Purse(PLENTY)).bring_about(LegTarget(quotes=(crossing,)), 2)
    assert not amended(commands) and bid.client_id in canceled(commands)


# What becomes of it ------------------------------------------------------------------------------------------


def test_a_refused_amend_leaves_the_order_as_it_was() -> None:
    bench = Bench(can_amend=True)
    bid, amend = moved(bench)
    refused(bench, amend, RejectReason.INSUFFICIENT_FUNDS)
    record = bench.orders[bid.client_id]
    assert record.request == bid and record.amended is None


def test_an_amend_refused_because_the_order_is_gone_asks_what_became_of_it() -> None:
    bench = Bench(can_amend=True)
    bid, amend = moved(bench)
    refused(bench, amend, RejectReason.UNKNOWN_ORDER)
    assert state(bench, bid) is OrderState.UNRESOLVED
    assert asked(bench.wait(1.0)[:4])
    filled = report_of(bid, OrderStatus.FILLED, bid.lots)
    bench.answer(history=(filled,), fills=(fill_of(bid, bid.lots, "t1"),))
    assert state(bench, bid) is OrderState.FILLED


def test_the_stream_may_confirm_an_amend_before_its_answer_comes() -> None:
    bench = Bench(can_amend=True)
    bid, amend = moved(bench)
    shown(bench, new_terms(amend), updated_ns=7)
    assert state(bench, bid) is OrderState.ACCEPTED
    lost(bench, amend)
    assert state(bench, bid) is OrderState.ACCEPTED


def test_late_news_of_a_price_it_had_before_confirms_nothing() -> None:
    bench = Bench(can_amend=True)
    bid = side_of(bench.quoting(), Side.BUY)
    shown(bench, bid, updated_ns=5)
    [there] = [each for each in amended(bench.book(10_090, 10_110)) if each.venue_order_id == f"v{bid.client_id}"]
    shown(bench, new_terms(there), updated_ns=6)
    [back] = [each for each in amended(bench.book(9_990, 10_010)) if each.venue_order_id == f"v{bid.client_id}"]
    assert new_terms(back) == bid
    shown(bench, bid, updated_ns=5)
    assert state(bench, bid) is OrderState.AMEND_PENDING
    shown(bench, bid, updated_ns=7)
    assert state(bench, bid) is OrderState.ACCEPTED


def test_a_late_answer_to_an_earlier_amend_says_nothing_of_the_one_under_way() -> None:
    order = OwnOrder(BOUGHT, submitted_ns=0, dead_after_ns=10)
    order.reported(report_of(BOUGHT, RESTING, updated_ns=1), 1)
    up, further_up = replace(BOUGHT, ticks=102), replace(BOUGHT, ticks=104)
    for at_ns, terms in ((2, up), (4, further_up)):
        order.amend_sent(terms, at_ns, dead_after_ns=20)
        order.reported(report_of(terms, RESTING, updated_ns=at_ns), at_ns)
    order.amend_sent(up, 6, dead_after_ns=20)
    order.amend_done(report_of(up, RESTING, updated_ns=2), 7)
    assert (order.state, order.request, order.amended) == (OrderState.AMEND_PENDING, further_up, up)
    order.amend_done(report_of(up, RESTING, updated_ns=8), 9)
    assert (order.state, order.request, order.amended) == (OrderState.ACCEPTED, up, None)


def test_while_an_amend_is_unresolved_limits_count_the_worse_of_both_terms() -> None:
    for before, after in ((10, 25), (25, 10)):
        order = resting(replace(BOUGHT, lots=before))
        order.amend_sent(replace(order.request, ticks=120, lots=after), 2, dead_after_ns=10)
        order.outcome_unknown(Operation.AMEND, "timeout", 3)
        assert order.unresolved is Operation.AMEND
        assert (order.remaining_lots, order.at_risk_lots, order.most_ticks) == (25, 25, 120)
        order.cancel_sent(4)
        assert order.remaining_lots == 25


def test_a_lost_amend_is_followed_by_a_cancel_because_the_order_may_stand_where_it_should_not() -> None:
    bench = Bench(can_amend=True)
    bid, amend = moved(bench)
    assert bid.client_id in canceled(lost(bench, amend))
    assert bench.orders[bid.client_id].amended == new_terms(amend)
    bench.update(bid, OrderStatus.CANCELED)
    assert state(bench, bid) is OrderState.CANCELED


@pytest.mark.parametrize("was_done", [True, False])
def test_a_lost_amend_is_settled_by_what_rests_once_it_can_no_longer_arrive(was_done: bool) -> None:
    bench = Bench(can_amend=True)
    bid, amend = moved(bench)
    bench = bench.restarted()
    rests = new_terms(amend) if was_done else bid
    others = tuple(r.request for r in bench.orders.values() if r.request.client_id != bid.client_id)
    reports = tuple(report_of(each, RESTING, updated_ns=9) for each in (rests, *others))
    bench.connect(open_orders=reports)
    order = bench.machine._legs[LEG].orders.find(bid.client_id)
    assert order is not None and (order.unresolved is Operation.AMEND) is not was_done
    bench.wait(7.0)
    bench.answer(open_orders=reports)
    assert order.terms == (rests,) and order.unresolved is None


def test_a_crash_while_an_amend_is_under_way_forgets_neither_terms() -> None:
    bench = Bench(can_amend=True)
    bid, amend = moved(bench)
    order = OwnOrder.remembered(bench.orders[bid.client_id])
    assert order.state is OrderState.UNRESOLVED and order.unresolved is Operation.AMEND
    assert order.terms == (bid, new_terms(amend))


def test_an_order_filled_to_its_smaller_size_is_not_done_before_the_venue_says_so() -> None:
    order = resting(BOUGHT)
    order.amend_sent(replace(BOUGHT, lots=4), 2, dead_after_ns=10)
    order.filled(fill_of(BOUGHT, 4, "t1"), 3)
    assert order.remaining_lots == 6
    order.reported(report_of(replace(BOUGHT, lots=4), OrderStatus.FILLED, 4, updated_ns=9), 4)
    assert order.state is OrderState.FILLED


def test_a_cancel_that_was_refused_leaves_the_question_of_the_amend_open() -> None:
    order = resting(BOUGHT)
    order.amend_sent(replace(BOUGHT, ticks=120), 2, dead_after_ns=10)
    order.outcome_unknown(Operation.AMEND, "timeout", 3)
    order.cancel_sent(4)
    order.cancel_rejected(RejectReason.RATE_LIMITED, 5)
    assert order.unresolved is Operation.AMEND and len(order.terms) == 2
