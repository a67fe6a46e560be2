"""The bot's machine: quoting, requoting, limits, and what it refuses to do on what it does not know."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from engine.clock import NS_PER_S
from engine.model.account import Position
from engine.model.events import (
    BookLost,
    BookUpdated,
    FillsReported,
    LegConnected,
    LegDisconnected,
    OpenOrdersReported,
    OrderFilled,
    OrderHistoryReported,
    OrderUpdated,
    OutcomeUnknown,
    Paused,
    PositionReported,
    QueryFailed,
    Resumed,
    StopRequested,
    SubmitRejected,
    TimePassed,
)
from engine.model.order import Operation, OrderStatus, RejectReason, Side
from engine.risk.stops import DAY_NS
from engine.spec.types import StopPolicy
from engine.trading.records import Budget, OrderState
from tests.trading.desk_bench import (
    LEG,
    PLENTY,
    SPOT,
    Bench,
    asked,
    bot_spec,
    canceled,
    fill_of,
    report_of,
    side_of,
    submitted,
)


def test_nothing_is_sent_before_the_venue_was_asked_and_a_book_is_whole() -> None:
    bench = Bench()
    assert bench.book(9_990, 10_010) == []
    commands = bench.connect()
    assert {(order.side, order.ticks) for order in submitted(commands)} == {
        (Side.BUY, 9_990),
        (Side.SELL, 10_010),
    }


def test_connecting_asks_for_orders_history_fills_and_position() -> None:
    bench = Bench()
    assert asked(bench.feed(LegConnected(at_ns=bench.now_ns, leg=LEG)))


def test_a_move_inside_the_requote_threshold_keeps_the_queue_place() -> None:
    bench = Bench()
    bench.quoting()
    assert bench.book(9_991, 10_011) == []


def test_a_move_beyond_the_threshold_cancels_first_and_places_only_when_it_is_gone() -> None:
    bench = Bench()
    quotes = bench.quoting()
    commands = bench.book(10_090, 10_110)
    assert sorted(canceled(commands)) == sorted(request.client_id for request in quotes)
    assert submitted(commands) == []
    assert bench.book(10_091, 10_111) == []
    bid = side_of(quotes, Side.BUY)
    replaced = submitted(bench.update(bid, OrderStatus.CANCELED))
    assert [(order.slot, order.ticks) for order in replaced] == [("bid.0", 10_090)]


def test_the_same_event_twice_changes_nothing() -> None:
    bench = Bench()
    bench.quoting()
    assert bench.book(9_990, 10_010) == []
    assert bench.wait(1) == []


def test_a_failed_open_orders_query_places_nothing() -> None:
    """H1: three failed cycles stacked 24 orders elsewhere."""
    bench = Bench()
    quotes = bench.quoting()
    for _ in range(3):
        assert asked(bench.wait(31))
        assert bench.feed(QueryFailed(at_ns=bench.now_ns, leg=LEG, query="QueryOpenOrders", why="503")) == []
    assert bench.status.orders == len(quotes) == 2


def test_an_unknown_position_denies_what_would_add() -> None:
    """H4: a failed position query switched the limit off elsewhere; here what rests and would add is pulled."""
    bench = Bench()
    bench.quoting()
    bench.wait(31)
    pulled = bench.feed(QueryFailed(at_ns=bench.now_ns, leg=LEG, query="QueryPosition", why="503"))
    assert len(canceled(pulled)) == 2, "flat, so that either side would add"
    bid = next(r.request for r in bench.orders.values() if r.request.side is Side.BUY)
    assert submitted(bench.update(bid, OrderStatus.CANCELED)) == []


def test_at_the_position_limit_only_the_reducing_side_is_quoted() -> None:
    """H5."""
    bench = Bench(spec=bot_spec(max_position=Decimal(1)))
    quotes = bench.quoting()
    bid = side_of(quotes, Side.BUY)
    bench.fill(bid, 100)
    bench.update(bid, OrderStatus.FILLED, 100)
    bench.book(9_980, 10_000)
    live = [r for r in bench.orders.values() if not r.state.is_done]
    assert {record.request.side for record in live} == {Side.SELL}


def test_a_part_of_a_lot_that_a_fee_in_base_left_counts_against_the_limit() -> None:
    """0.998 SOL are held and another 1 would be 1.998: over a limit of 1.99, by less than the lot of 0.01."""
    bench = Bench(SPOT, spec=bot_spec(SPOT, max_position=Decimal("1.99")))
    bid = side_of(bench.quoting(), Side.BUY)
    fill = msgspec.structs.replace(fill_of(bid, 100, "t"), fee=Decimal("0.002"), fee_asset="SOL")
    bench.feed(OrderFilled(at_ns=bench.now_ns, leg=LEG, fill=fill))
    bench.update(bid, OrderStatus.FILLED, 100)
    bench.book(9_980, 10_000)
    live = [r for r in bench.orders.values() if not r.state.is_done]
    assert {record.request.side for record in live} == {Side.SELL}


def test_a_fill_heard_twice_counts_once() -> None:
    bench = Bench()
    bid = side_of(bench.quoting(), Side.BUY)
    bench.fill(bid, 40, "t")
    bench.fill(bid, 40, "t")
    assert (bench.status.fills, bench.status.position) == (1, Decimal("0.40"))


def test_the_fill_of_another_bots_order_is_ignored() -> None:
    """H22."""
    bench = Bench()
    bid = side_of(bench.quoting(), Side.BUY)
    foreign = fill_of(bid, 40, "t")
    foreign = msgspec.structs.replace(foreign, client_id=(9 << 24) | 1, venue_order_id="theirs")
    assert bench.feed(OrderFilled(at_ns=bench.now_ns, leg=LEG, fill=foreign)) == []
    assert bench.status.fills == 0


def test_a_manual_order_on_the_market_is_left_alone() -> None:
    """H21."""
    bench = Bench()
    bid = side_of(bench.quoting(), Side.BUY)
    manual = msgspec.structs.replace(report_of(bid, OrderStatus.RESTING), client_id=None, venue_order_id="manual")
    mine = tuple(report_of(r.request, OrderStatus.RESTING) for r in bench.orders.values())
    bench.wait(31)
    assert canceled(bench.answer(open_orders=(*mine, manual))) == []


def test_an_order_with_our_tag_that_was_never_issued_is_left_alone() -> None:
    bench = Bench()
    bid = side_of(bench.quoting(), Side.BUY)
    impostor = msgspec.structs.replace(
        report_of(bid, OrderStatus.RESTING), client_id=(7 << 24) | 4_000, venue_order_id="x"
    )
    mine = tuple(report_of(r.request, OrderStatus.RESTING) for r in bench.orders.values())
    bench.wait(31)
    assert canceled(bench.answer(open_orders=(*mine, impostor))) == []


def test_a_timed_out_submit_stays_unresolved_and_is_never_sent_again() -> None:
    """H9: the order was accepted although the POST timed out; elsewhere it was sent three times."""
    bench = Bench()
    bench.connect()
    sent = submitted(bench.book(9_990, 10_010))
    bid = side_of(sent, Side.BUY)
    bench.accept(side_of(sent, Side.SELL))
    unknown = OutcomeUnknown(
        at_ns=bench.now_ns, leg=LEG, client_id=bid.client_id, operation=Operation.SUBMIT, why="timeout"
    )
    assert submitted(bench.feed(unknown)) == []
    assert bench.orders[bid.client_id].state is OrderState.UNRESOLVED
    assert asked(bench.wait(0.5))
    mine = tuple(report_of(request, OrderStatus.RESTING) for request in sent)
    assert submitted(bench.answer(open_orders=mine)) == []
    assert bench.orders[bid.client_id].state is OrderState.ACCEPTED


def test_an_unresolved_submit_is_given_up_only_after_dead_after() -> None:
    bench = Bench()
    bench.connect()
    sent = submitted(bench.book(9_990, 10_010))
    bid, ask = side_of(sent, Side.BUY), side_of(sent, Side.SELL)
    bench.accept(ask)
    bench.feed(
        OutcomeUnknown(
            at_ns=bench.now_ns, leg=LEG, client_id=bid.client_id, operation=Operation.SUBMIT, why="timeout"
        )
    )
    resting = (report_of(ask, OrderStatus.RESTING),)
    assert asked(bench.wait(1))
    assert submitted(bench.answer(open_orders=resting)) == []
    assert bench.orders[bid.client_id].state is OrderState.UNRESOLVED
    assert asked(bench.wait(10))
    again = submitted(bench.answer(open_orders=resting))
    assert bench.orders[bid.client_id].state is OrderState.REJECTED
    assert [order.slot for order in again] == ["bid.0"]
    assert again[0].client_id != bid.client_id


def test_a_late_answer_to_an_earlier_round_proves_nothing_in_this_one() -> None:
    """The list of open orders was made before the lost order could arrive; only its answer came after that."""
    bench = Bench()
    bench.connect()
    bid, ask = submitted(bench.book(9_990, 10_010))
    bench.accept(ask)
    bench.feed(
        OutcomeUnknown(
            at_ns=bench.now_ns, leg=LEG, client_id=bid.client_id, operation=Operation.SUBMIT, why="timeout"
        )
    )
    assert asked(bench.wait(1))
    early_ns = bench.now_ns
    bench.now_ns += 10 * NS_PER_S
    bench.feed(StopRequested(at_ns=bench.now_ns, leg="", why="stop"))
    resting = (report_of(ask, OrderStatus.RESTING),)
    late = OpenOrdersReported(at_ns=bench.now_ns, leg=LEG, requested_ns=early_ns, orders=resting)
    bench.feed(late)
    at = {"at_ns": bench.now_ns, "leg": LEG, "requested_ns": bench.now_ns}
    bench.feed(OrderHistoryReported(since_ns=0, orders=(), **at))
    bench.feed(FillsReported(since_ns=0, fills=(), **at))
    bench.feed(PositionReported(position=Position(lots=0), **at))
    bench.update(ask, OrderStatus.CANCELED)
    assert bench.orders[bid.client_id].state is OrderState.UNRESOLVED
    assert not bench.machine.is_stopped
    both = (*resting, report_of(bid, OrderStatus.RESTING))
    assert canceled(bench.feed(OpenOrdersReported(orders=both, **at))) == [bid.client_id]


def test_an_order_found_again_knows_the_fills_that_were_counted_before() -> None:
    """A venue's list may be a moment old: after a restart it shows an order that is over, and was partly filled."""
    bench = Bench()
    bid, ask = bench.quoting()
    bench.fill(bid, 30, "t1")
    (instead,) = submitted(bench.update(bid, OrderStatus.CANCELED, executed_lots=30))
    bench.accept(instead)
    again = bench.restarted()
    shown = ((ask, 0), (instead, 0), (bid, 30))
    resting = tuple(report_of(request, OrderStatus.RESTING, executed) for request, executed in shown)
    fills = (fill_of(bid, 30, "t1"),)
    assert canceled(again.connect(open_orders=resting, fills=fills)) == []
    assert canceled(again.book(9_990, 10_010)) == [bid.client_id]
    over = report_of(bid, OrderStatus.CANCELED, 30)
    again.feed(OrderUpdated(at_ns=again.now_ns, leg=LEG, report=over))
    assert again.orders[bid.client_id].state is OrderState.CANCELED
    assert again.status.position == Decimal("0.30") and again.status.ready


def test_an_order_that_vanished_is_asked_for_until_history_tells() -> None:
    bench = Bench()
    sent = bench.quoting()
    bid, ask = side_of(sent, Side.BUY), side_of(sent, Side.SELL)
    resting = (report_of(ask, OrderStatus.RESTING),)
    bench.wait(31)
    assert submitted(bench.answer(open_orders=resting)) == []
    assert bench.orders[bid.client_id].state is OrderState.UNRESOLVED
    bench.wait(1)
    filled = report_of(bid, OrderStatus.FILLED, 100)
    bench.answer(open_orders=resting, history=(filled,), position_lots=100)
    assert bench.orders[bid.client_id].state is OrderState.CLOSING
    bench.wait(3)
    bench.answer(open_orders=resting, fills=(fill_of(bid, 100, "t9"),), position_lots=100)
    assert bench.orders[bid.client_id].state is OrderState.FILLED
    assert bench.status.position == Decimal("1.00")


def test_an_order_that_ended_before_the_venues_history_begins_is_over_where_no_fill_is_missing() -> None:
    """Aster tells of a week, Backpack of its newest thousand orders: a grid's order may rest for longer."""
    bench = Bench()
    bid, ask = bench.quoting()
    bench.now_ns += 30 * DAY_NS
    again = bench.restarted()
    known = {"open_orders": (report_of(ask, OrderStatus.RESTING),), "since_ns": again.now_ns - 7 * DAY_NS}
    again.feed(LegConnected(at_ns=again.now_ns, leg=LEG))
    again.answer(**known)
    assert again.orders[bid.client_id].state is OrderState.UNRESOLVED
    again.wait(30)
    again.answer(**known)
    assert again.orders[bid.client_id].state is OrderState.UNRESOLVED, "the list may lag behind"
    again.wait(61)
    again.answer(**known)
    assert again.orders[bid.client_id].state is OrderState.CANCELED
    assert [order.slot for order in submitted(again.book(9_990, 10_010))] == ["bid.0"]


def test_an_order_that_ended_there_is_asked_for_while_a_fill_may_be_missing() -> None:
    bench = Bench()
    bid, ask = bench.quoting()
    bench.now_ns += 30 * DAY_NS
    again = bench.restarted()
    known = {"open_orders": (report_of(ask, OrderStatus.RESTING),), "since_ns": again.now_ns - 7 * DAY_NS}
    again.feed(LegConnected(at_ns=again.now_ns, leg=LEG))
    for _ in range(4):
        again.answer(**known, position_lots=100)
        again.wait(61)
    assert again.orders[bid.client_id].state is OrderState.UNRESOLVED


def test_a_snapshot_proves_nothing_about_an_order_touched_after_it_was_asked() -> None:
    bench = Bench()
    sent = bench.quoting()
    bench.wait(31)
    bench.now_ns += 5_000_000
    bid = side_of(sent, Side.BUY)
    bench.fill(bid, 10)
    early = OpenOrdersReported(at_ns=bench.now_ns, leg=LEG, requested_ns=bench.now_ns - 9_000_000, orders=())
    bench.feed(early)
    assert bench.orders[bid.client_id].state is OrderState.ACCEPTED


def test_a_lost_book_pulls_every_quote_and_a_whole_one_brings_them_back() -> None:
    """Law 7."""
    bench = Bench()
    sent = bench.quoting()
    pulled = canceled(bench.feed(BookLost(at_ns=bench.now_ns, leg=LEG, reason="gap")))
    assert sorted(pulled) == sorted(request.client_id for request in sent)
    for request in sent:
        bench.update(request, OrderStatus.CANCELED)
    assert len(submitted(bench.book(9_990, 10_010))) == 2


def test_a_lost_account_stream_pulls_every_quote() -> None:
    bench = Bench()
    sent = bench.quoting()
    lost = LegDisconnected(at_ns=bench.now_ns, leg=LEG, reason="closed")
    assert len(canceled(bench.feed(lost))) == len(sent)


def test_a_partly_filled_order_is_topped_up_by_a_child_and_never_cancelled_to_grow() -> None:
    bench = Bench()
    bid = side_of(bench.quoting(), Side.BUY)
    assert submitted(bench.fill(bid, 40)) == []
    child = submitted(bench.fill(bid, 20))
    assert [(order.slot, order.lots) for order in child] == [("bid.0+2", 60)]


def test_a_crossing_post_only_is_tried_again_from_a_fresh_book_with_growing_waits() -> None:
    """H43."""
    bench = Bench()
    bench.connect()
    sent = submitted(bench.book(9_990, 10_010))
    bid = side_of(sent, Side.BUY)
    bench.accept(side_of(sent, Side.SELL))
    refused = SubmitRejected(at_ns=bench.now_ns, leg=LEG, client_id=bid.client_id, reason=RejectReason.WOULD_CROSS)
    assert submitted(bench.feed(refused)) == []
    assert submitted(bench.wait(0.005)) == []
    assert [order.slot for order in submitted(bench.wait(0.02))] == ["bid.0"]


def test_a_pause_pulls_quotes_and_a_resume_places_them_again() -> None:
    bench = Bench()
    sent = bench.quoting()
    paused = bench.feed(Paused(at_ns=bench.now_ns, leg="", who="ann", why="news"))
    assert len(canceled(paused)) == 2
    for request in sent:
        bench.update(request, OrderStatus.CANCELED)
    assert submitted(bench.wait(5)) == []
    assert len(submitted(bench.feed(Resumed(at_ns=bench.now_ns, leg="", who="ann")))) == 2


def test_stopping_cancels_and_is_done_only_when_every_order_is_gone() -> None:
    """H11, law 10."""
    bench = Bench()
    sent = bench.quoting()
    commands = bench.feed(StopRequested(at_ns=bench.now_ns, leg="", why="SIGTERM"))
    assert len(canceled(commands)) == 2 and not bench.machine.is_stopped
    bench.update(sent[0], OrderStatus.CANCELED)
    assert not bench.machine.is_stopped
    assert submitted(bench.update(sent[1], OrderStatus.CANCELED)) == []
    assert bench.machine.is_stopped


def test_stopping_to_flatten_sells_what_own_fills_bought_and_no_more() -> None:
    bench = Bench(spec=bot_spec(stop_policy=StopPolicy.FLATTEN))
    sent = bench.quoting()
    bid, ask = side_of(sent, Side.BUY), side_of(sent, Side.SELL)
    (refill,) = submitted(bench.fill(bid, 100))
    bench.accept(refill)
    bench.wait(31)
    mine = tuple(report_of(request, OrderStatus.RESTING) for request in (ask, refill))
    bench.answer(open_orders=mine, position_lots=100)
    assert submitted(bench.feed(StopRequested(at_ns=bench.now_ns, leg="", why="stop"))) == []
    bench.update(refill, OrderStatus.CANCELED)
    out = submitted(bench.update(ask, OrderStatus.CANCELED))
    assert [(o.slot, o.side, o.lots, o.reduce_only) for o in out] == [("inventory", Side.SELL, 100, True)]
    bench.fill(out[0], 100)
    assert bench.machine.is_stopped


def test_an_order_that_takes_and_is_not_heard_to_end_is_asked_for_before_it_holds_up_the_next() -> None:
    bench = Bench(spec=bot_spec(stop_policy=StopPolicy.FLATTEN))
    bench.fill(side_of(bench.quoting(), Side.BUY), 100)
    instead = [record.request for record in bench.orders.values() if not record.state.is_done]
    bench.feed(StopRequested(at_ns=bench.now_ns, leg="", why="stop"))
    bench.answer(position_lots=100)
    (taking,) = [order for request in instead for order in submitted(bench.update(request, OrderStatus.CANCELED))]
    bench.fill(taking, 30)
    assert bench.wait(2) == []
    assert asked(bench.wait(0.5))
    over = report_of(taking, OrderStatus.CANCELED, 30)
    rest = submitted(bench.answer(history=(over,), position_lots=70))
    assert [(order.side, order.lots) for order in rest] == [(Side.SELL, 70)]


def test_where_one_change_may_be_under_way_one_leaves_and_the_leg_waits_for_the_next() -> None:
    bench = Bench()
    bench.connect()
    one = Budget(reduce=9, cancel=9, place=9, changes=1)
    book = BookUpdated(at_ns=bench.now_ns, leg=LEG, bids=((9_990, 1),), asks=((10_010, 1),))
    step = bench.machine.step(book, {LEG: one})
    assert len(submitted(step.commands)) == 1 and step.waiting == (LEG,)
    step = bench.machine.step(
        TimePassed(at_ns=bench.now_ns, leg=LEG), {LEG: msgspec.structs.replace(one, changes=0)}
    )
    assert step.commands == () and step.waiting == (LEG,)
    step = bench.machine.step(TimePassed(at_ns=bench.now_ns, leg=LEG), {LEG: one})
    assert len(submitted(step.commands)) == 1 and step.waiting == ()


def test_without_budget_nothing_leaves_and_nothing_is_remembered() -> None:
    bench = Bench()
    bench.connect()
    book = BookUpdated(at_ns=bench.now_ns, leg=LEG, bids=((9_990, 1),), asks=((10_010, 1),))
    assert bench.feed(book, Budget(reduce=0, cancel=0, place=0)) == []
    assert bench.orders == {}
    assert len(submitted(bench.wait(1))) == 2


def test_with_the_order_rate_used_up_only_a_quote_too_near_the_market_is_cancelled() -> None:
    bench = Bench(spec=bot_spec(max_orders_per_minute=2))
    sent = bench.quoting()
    assert canceled(bench.book(10_090, 10_110)) == [side_of(sent, Side.SELL).client_id]


def test_a_restart_finds_its_orders_again_and_leaves_them_resting() -> None:
    bench = Bench()
    sent = bench.quoting()
    again = bench.restarted()
    resting = tuple(report_of(request, OrderStatus.RESTING) for request in sent)
    assert again.connect(open_orders=resting) == []
    assert again.book(9_990, 10_010) == []
    assert again.status.orders == 2


def test_a_restart_amid_a_submit_asks_before_it_places() -> None:
    bench = Bench()
    bench.connect()
    sent = submitted(bench.book(9_990, 10_010))
    again = bench.restarted()
    again.book(9_990, 10_010)
    assert submitted(again.connect(open_orders=(report_of(sent[0], OrderStatus.RESTING),))) == []
    assert again.status.unresolved == 1
    assert "asking" in again.status.why_not
    again.wait(10)
    placed = submitted(again.answer(open_orders=(report_of(sent[0], OrderStatus.RESTING),)))
    assert [order.slot for order in placed] == [sent[1].slot]
    assert placed[0].client_id not in {request.client_id for request in sent}


def test_a_fill_missed_while_the_process_was_dead_is_counted_once() -> None:
    bench = Bench()
    bid = side_of(bench.quoting(), Side.BUY)
    bench.fill(bid, 30, "before")
    again = bench.restarted()
    missed = (fill_of(bid, 30, "before"), fill_of(bid, 20, "while dead"))
    resting = tuple(report_of(r.request, OrderStatus.RESTING) for r in again.memory.orders)
    again.connect(open_orders=resting, fills=missed, position_lots=50)
    assert (again.status.fills, again.status.position) == (2, Decimal("0.50"))


def test_an_unexplained_position_stops_adding() -> None:
    bench = Bench()
    bench.quoting()
    resting = tuple(report_of(r.request, OrderStatus.RESTING) for r in bench.orders.values())
    for _ in range(2):
        bench.wait(31)
        bench.answer(open_orders=resting, position_lots=300)
    bid = next(r.request for r in bench.orders.values() if r.request.side is Side.BUY)
    assert submitted(bench.update(bid, OrderStatus.CANCELED)) == []


def test_a_new_spread_is_taken_while_running() -> None:
    bench = Bench()
    bench.quoting()
    step = bench.machine.reconfigure(bot_spec(spread_bps="60"), bench.now_ns, {LEG: PLENTY})
    assert len(canceled(list(step.commands))) == 2


def test_spot_quotes_no_more_than_declared_capital() -> None:
    bench = Bench(instrument=SPOT, spec=bot_spec(SPOT, capital={"base": "0.5", "quote": "30"}))
    sent = bench.quoting()
    assert {(order.side, order.lots) for order in sent} == {(Side.BUY, 30), (Side.SELL, 50)}


def test_spot_rebalances_towards_its_share_of_base_through_the_book() -> None:
    spec = bot_spec(
        SPOT, capital={"base": "0", "quote": "1000"}, base_target_pct="30", rebalance_threshold_pct="15"
    )
    bench = Bench(instrument=SPOT, spec=spec)
    bench.connect()
    sent = submitted(bench.book(9_990, 10_010))
    taking = [order for order in sent if order.slot == "inventory"]
    assert [(order.side, order.lots) for order in taking] == [(Side.BUY, 300)]
    assert {order.side for order in sent} == {Side.BUY}
