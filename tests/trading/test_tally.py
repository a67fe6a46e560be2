"""What is counted of orders is what their records say, once each, whenever the process is killed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.clock import NS_PER_MS
from engine.model.events import OrderAmended, OutcomeUnknown, SubmitRejected
from engine.model.order import Operation, OrderRequest, OrderStatus, RejectReason, Side
from engine.trading.records import OrderRecord, OrderState
from engine.trading.statistics import LegStatistics, Statistics
from tests.trading.desk_bench import LEG, Bench, amended, report_of, side_of, submitted

FATES = {OrderState.CANCELED: "canceled", OrderState.EXPIRED: "expired", OrderState.FILLED: "filled"}


def statistics(bench: Bench) -> LegStatistics:
    return bench.machine.statistics().legs[LEG]


def naive_counts(records: list[OrderRecord]) -> dict[str, int]:
    """Counted by going through every order that ever was."""
    counts = Counter(dict.fromkeys(("placed", "rejected", "amended", *FATES.values()), 0))
    for record in records:
        counts["rejected"] += record.state is OrderState.REJECTED
        counts["placed"] += record.state is not OrderState.REJECTED and record.venue_order_id is not None
        if record.state in FATES:
            counts[FATES[record.state]] += 1
    return dict(counts)


def counts(span: Statistics) -> dict[str, int]:
    return dict(msgspec.structs.asdict(span.orders))


def test_an_order_counts_as_placed_when_the_venue_has_taken_it() -> None:
    bench = Bench()
    bench.connect()
    sent = submitted(bench.book(9_990, 10_010))
    assert counts(statistics(bench).run)["placed"] == 0
    bench.accept(sent[0])
    assert counts(statistics(bench).run)["placed"] == 1


def test_a_refused_order_is_rejected_and_not_placed() -> None:
    bench = Bench()
    bench.connect()
    (first, _) = submitted(bench.book(9_990, 10_010))
    reason = RejectReason.WOULD_CROSS
    bench.feed(SubmitRejected(at_ns=bench.now_ns, leg=LEG, client_id=first.client_id, reason=reason))
    assert (counts(statistics(bench).run)["placed"], counts(statistics(bench).run)["rejected"]) == (0, 1)


def test_news_of_an_end_that_comes_twice_counts_once() -> None:
    bench = Bench()
    (bid, _) = bench.quoting()
    for _ in range(2):
        bench.update(bid, OrderStatus.CANCELED)
    assert counts(statistics(bench).total)["canceled"] == 1


def test_the_fill_ratio_is_the_executed_part_of_what_is_over() -> None:
    bench = Bench()
    quotes = bench.quoting()
    bid, ask = side_of(quotes, Side.BUY), side_of(quotes, Side.SELL)
    bench.fill(bid, 25)
    assert statistics(bench).run.fill_ratio is None, "nothing is over yet"
    bench.update(bid, OrderStatus.CANCELED, 25)
    assert str(statistics(bench).run.fill_ratio) == "0.2500"
    bench.fill(ask, ask.lots)
    assert str(statistics(bench).run.fill_ratio) == "0.6250"


def test_an_amend_counts_when_it_was_carried_out_and_is_timed() -> None:
    bench = Bench(can_amend=True)
    quotes = bench.quoting()
    (amend, *_) = amended(bench.book(9_970, 9_990))
    terms = amend.order.request
    bench.now_ns += 30 * NS_PER_MS
    report = report_of(terms, OrderStatus.RESTING)
    bench.feed(OrderAmended(at_ns=bench.now_ns, leg=LEG, report=report))
    run = statistics(bench).run
    assert (run.orders.amended, run.orders.placed) == (1, len(quotes))
    assert run.latency["amend_to_ack"].longest_ms == 30


def test_submits_and_cancels_are_timed_to_the_venues_first_word() -> None:
    bench = Bench()
    quotes = bench.quoting()
    latency = statistics(bench).run.latency
    assert (latency["submit_to_ack"].count, latency["submit_to_ack"].longest_ms) == (2, 2)
    bench.book(9_900, 9_920)
    bench.now_ns += 40 * NS_PER_MS
    bench.update(side_of(quotes, Side.BUY), OrderStatus.CANCELED)
    assert statistics(bench).run.latency["cancel_to_ack"].longest_ms == 41


def test_an_order_without_an_answer_is_not_timed() -> None:
    bench = Bench()
    bench.connect()
    (first, _) = submitted(bench.book(9_990, 10_010))
    lost: dict[str, Any] = {"client_id": first.client_id, "operation": Operation.SUBMIT, "why": "timeout"}
    bench.feed(OutcomeUnknown(at_ns=bench.now_ns, leg=LEG, **lost))
    bench.wait(5)
    bench.accept(first)
    run = statistics(bench).run
    assert (run.orders.placed, run.latency["submit_to_ack"].count) == (1, 0)


def test_time_at_the_touch_runs_while_an_own_quote_is_the_best_price() -> None:
    bench = Bench()
    quotes = bench.quoting()
    bid = side_of(quotes, Side.BUY)
    bench.book(bid.ticks, 10_050)
    before = statistics(bench).run.touch
    bench.wait(2)
    now = statistics(bench).run.touch
    assert [round(now.bid_s - before.bid_s, 6), round(now.watched_s - before.watched_s, 6)] == [2, 2]


def test_no_touch_is_timed_while_the_book_is_not_known() -> None:
    bench = Bench()
    bench.connect()
    bench.wait(5)
    assert statistics(bench).run.touch.watched_s == 0


def test_a_restart_begins_a_run_and_keeps_the_totals() -> None:
    bench = Bench()
    quotes = bench.quoting()
    bench.fill(quotes[0], 40)
    before = statistics(bench)
    again = bench.restarted()
    again.connect()
    now = statistics(again)
    assert (before.runs, now.runs) == (1, 2)
    assert (now.total.orders, now.total.fills) == (before.total.orders, 1)
    assert (now.run.fills, now.run.orders.placed) == (0, 0)
    assert now.total.since_ns == before.total.since_ns == before.run.since_ns != now.run.since_ns


def test_a_journal_from_before_statistics_counts_its_live_orders_as_placed() -> None:
    bench = Bench()
    bench.quoting()
    bench.run = bench.tally = None
    again = bench.restarted()
    again.connect(open_orders=tuple(report_of(r.request, OrderStatus.RESTING) for r in bench.orders.values()))
    assert statistics(again).total.orders.placed == 2


def test_a_step_without_other_records_leaves_none_for_statistics() -> None:
    """A disk that takes nothing must not stop a bot that has nothing to remember."""
    bench = Bench()
    bench.quoting()
    kept = bench.tally
    bench.wait(3_600)
    assert bench.tally is kept


Move = tuple[str, int]
MOVES = st.tuples(
    st.sampled_from(["accept", "cancel", "fill", "reject", "lose", "book", "wait", "kill"]), st.integers(0, 5)
)


def play(bench: Bench, move: Move) -> Bench:
    """One thing that happens to one of the orders, or to all."""
    what, which = move
    live = [record.request for record in bench.orders.values() if not record.state.is_done]
    order: OrderRequest | None = live[which % len(live)] if live else None
    if what == "kill":
        every = bench.orders
        bench = bench.restarted()
        bench.orders = every | bench.orders
        bench.connect(open_orders=tuple(report_of(request, OrderStatus.RESTING) for request in live))
    elif what == "book":
        bench.book(9_900 + 20 * which, 9_930 + 20 * which)
    elif what == "wait" or order is None:
        bench.wait(which + 0.25)
    elif what == "accept":
        bench.accept(order)
    elif what == "cancel":
        bench.update(order, OrderStatus.CANCELED)
    elif what == "fill":
        bench.fill(order, min(order.lots, 10 * which + 1))
    elif what == "reject":
        reason = RejectReason.WOULD_CROSS
        bench.feed(SubmitRejected(at_ns=bench.now_ns, leg=LEG, client_id=order.client_id, reason=reason))
    else:
        lost: dict[str, Any] = {"client_id": order.client_id, "operation": Operation.SUBMIT, "why": "timeout"}
        bench.feed(OutcomeUnknown(at_ns=bench.now_ns, leg=LEG, **lost))
    return bench


@settings(max_examples=150, deadline=None)
@given(st.lists(MOVES, max_size=40))
def test_whatever_happens_and_whenever_it_is_killed_the_counts_are_those_of_all_records(moves: list[Move]) -> None:
    bench = Bench()
    bench.connect()
    bench.book(9_990, 10_010)
    for move in moves:
        bench = play(bench, move)
        now, everything = statistics(bench).total, list(bench.orders.values())
        assert counts(now) == naive_counts(everything)
        over = [record for record in everything if record.state in FATES]
        ended = sum(record.request.lots for record in over)
        executed = sum(record.filled_lots for record in over)
        assert (now.fill_ratio is None) is (ended == 0)
        assert now.fill_ratio is None or abs(float(now.fill_ratio) - executed / ended) <= 0.00005
