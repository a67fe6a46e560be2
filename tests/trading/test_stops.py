"""A bot that has lost enough takes itself out of trade, and stays out until a person says otherwise."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from engine.model.commands import Command
from engine.model.events import (
    AmendRejected,
    BookLost,
    MarkPriceUpdated,
    OrderAmended,
    OrderFilled,
    Paused,
    Resumed,
    SubmitRejected,
    TripHeld,
)
from engine.model.order import OrderRequest, OrderStatus, RejectReason, Side
from engine.risk.stops import Stops
from engine.spec.types import StopPolicy
from tests.trading.desk_bench import (
    LEG,
    PLENTY,
    SPOT,
    Bench,
    amended,
    bot_spec,
    canceled,
    fill_of,
    report_of,
    side_of,
    submitted,
)

LOST = "stop_loss_usd: lost 10.01, the limit is 10"


def holding(bench: Bench) -> OrderRequest:
    """A bid of one SOL at 99.90 was filled, and both sides rest again; its ask."""
    quotes = bench.quoting()
    bid = side_of(quotes, Side.BUY)
    (again,) = submitted(bench.fill(bid, 100))
    bench.accept(again)
    return side_of(quotes, Side.SELL)


def fall(bench: Bench) -> list[Command]:
    """The market falls by ten."""
    return bench.book(8_989, 8_991)


def trip(bench: Bench) -> str:
    return bench.machine.status().trip


def all_canceled(bench: Bench) -> list[Command]:
    """Every order that is pending a cancel is confirmed gone."""
    commands: list[Command] = []
    for record in list(bench.orders.values()):
        if not record.state.is_done:
            commands += bench.update(record.request, OrderStatus.CANCELED)
    return commands


def test_h6_a_stop_loss_pulls_every_quote_and_nothing_is_quoted_again() -> None:
    """H6: elsewhere it quoted again in the next cycle."""
    bench = Bench(spec=bot_spec(stop_loss_usd=Decimal(10)))
    holding(bench)
    live = {record.request.client_id for record in bench.orders.values() if not record.state.is_done}
    assert set(canceled(fall(bench))) == live
    assert trip(bench) == LOST
    assert submitted(all_canceled(bench)) == []
    assert submitted(bench.book(12_000, 12_002)) == submitted(bench.wait(3_600)) == []
    assert bench.status.position == 1


def test_a_trip_is_in_the_records_of_the_step_that_found_it() -> None:
    bench = Bench(spec=bot_spec(stop_loss_usd=Decimal(10)))
    holding(bench)
    fall(bench)
    assert bench.stops is not None
    assert (bench.stops.trip, bench.stops.is_held) == (LOST, False)
    assert [note.facts for note in bench.notes if note.what == "tripped"] == [{"why": LOST}]


def test_a_trip_survives_kill_9_before_anybody_held_the_bot() -> None:
    bench = Bench(spec=bot_spec(stop_loss_usd=Decimal(10)))
    holding(bench)
    fall(bench)
    again = bench.restarted()
    assert trip(again) == LOST
    again.connect()
    assert submitted(again.book(9_990, 10_010)) == submitted(again.wait(60)) == []


def test_the_peak_and_the_day_survive_kill_9() -> None:
    bench = Bench(spec=bot_spec(max_drawdown_pct=Decimal(10), capital_usd=Decimal(100)))
    holding(bench)
    bench.book(10_989, 10_991)
    assert bench.stops is not None
    peak = bench.stops.peak_usd
    assert peak == Decimal("9.99")
    again = bench.restarted()
    live = [record.request for record in bench.orders.values() if not record.state.is_done]
    again.connect(open_orders=tuple(report_of(request, OrderStatus.RESTING) for request in live))
    again.book(10_489, 10_491)
    assert trip(again) == ""
    again.book(9_889, 9_890)
    assert trip(again).startswith("max_drawdown_pct: 10")


def test_a_tripped_bot_flattens_where_that_is_declared() -> None:
    bench = Bench(spec=bot_spec(stop_loss_usd=Decimal(10), on_trip=StopPolicy.FLATTEN))
    holding(bench)
    sent = submitted(fall(bench))
    sent += submitted(all_canceled(bench))
    (sale,) = sent
    assert (sale.side, sale.lots, sale.reduce_only) == (Side.SELL, 100, True)
    assert bench.stops is not None and not bench.stops.is_over
    bench.fill(sale, 100)
    bench.update(sale, OrderStatus.FILLED, 100)
    assert bench.stops.is_over
    assert bench.status.position == 0


def test_a_spot_bot_that_tripped_flattens_to_what_it_began_with() -> None:
    bench = Bench(
        instrument=SPOT, spec=bot_spec(SPOT, stop_loss_usd=Decimal(10), on_trip=StopPolicy.FLATTEN, layers=1)
    )
    holding(bench)
    assert submitted(fall(bench)) == [], "what rests could sell the same again"
    sales = submitted(all_canceled(bench))
    assert [(sale.side, sale.lots) for sale in sales] == [(Side.SELL, 100)]


def test_without_a_word_on_trips_the_stop_policy_holds() -> None:
    bench = Bench(spec=bot_spec(stop_policy=StopPolicy.FLATTEN, stop_loss_usd=Decimal(10)))
    holding(bench)
    sent = submitted(fall(bench))
    sent += submitted(all_canceled(bench))
    assert [sale.lots for sale in sent] == [100]


def test_a_position_is_kept_although_the_stop_policy_flattens() -> None:
    spec = bot_spec(stop_policy=StopPolicy.FLATTEN, stop_loss_usd=Decimal(10), on_trip=StopPolicy.KEEP)
    bench = Bench(spec=spec)
    holding(bench)
    fall(bench)
    assert submitted(all_canceled(bench)) == []
    assert bench.stops is not None and bench.stops.is_over


def test_a_resumed_bot_quotes_again_and_does_not_trip_over_the_old_loss() -> None:
    bench = Bench(spec=bot_spec(stop_loss_usd=Decimal(10), max_daily_loss_usd=Decimal(10)))
    holding(bench)
    fall(bench)
    all_canceled(bench)
    bench.feed(TripHeld(at_ns=bench.now_ns, leg="", why=LOST))
    assert bench.stops is not None and bench.stops.is_held
    again = bench.restarted()
    again.connect()
    again.feed(Resumed(at_ns=again.now_ns, leg="", who="ann"))
    assert len(submitted(again.book(8_990, 8_992))) == 2
    assert trip(again) == ""
    again.book(7_989, 7_991)
    assert trip(again) == "stop_loss_usd: lost 10.01, the limit is 10"


def test_a_resume_before_the_first_book_is_remembered_over_a_crash() -> None:
    bench = Bench(spec=bot_spec(stop_loss_usd=Decimal(10)))
    holding(bench)
    fall(bench)
    bench.feed(Resumed(at_ns=bench.now_ns, leg="", who="ann"))
    again = bench.restarted()
    again.connect()
    again.book(8_990, 8_992)
    assert trip(again) == ""


def test_a_bot_under_a_trips_hold_that_remembers_no_trip_does_not_trade() -> None:
    bench = Bench()
    bench.feed(TripHeld(at_ns=bench.now_ns, leg="", why="the budget of the fleet"))
    bench.connect()
    assert submitted(bench.book(9_990, 10_010)) == []
    assert trip(bench) == "the budget of the fleet"


def test_a_lost_book_neither_trips_nor_hides_the_loss() -> None:
    bench = Bench(spec=bot_spec(stop_loss_usd=Decimal(10)))
    holding(bench)
    bench.feed(BookLost(at_ns=bench.now_ns, leg=LEG, reason="gap"))
    assert trip(bench) == ""
    assert bench.machine.status().money.net_pnl is None
    fall(bench)
    assert trip(bench) == LOST


def test_fees_in_an_asset_without_a_price_stop_what_would_add() -> None:
    bench = Bench(spec=bot_spec(stop_loss_usd=Decimal(10)))
    strange = fill_of(side_of(bench.quoting(), Side.BUY), 100, "strange", at_ns=bench.now_ns)
    strange = msgspec.structs.replace(strange, fee_asset="GEM")
    commands = bench.feed(OrderFilled(at_ns=bench.now_ns, leg=LEG, fill=strange))
    commands += bench.book(9_900, 9_902) + all_canceled(bench) + bench.wait(1)
    assert {order.side for order in submitted(commands)} == {Side.SELL}
    assert (bench.machine.status().money.net_pnl, trip(bench)) == (None, "")


def test_tighter_limits_take_effect_at_once() -> None:
    bench = Bench(spec=bot_spec(stop_loss_usd=Decimal(100)))
    holding(bench)
    fall(bench)
    assert trip(bench) == ""
    step = bench.machine.reconfigure(bot_spec(stop_loss_usd=Decimal(10)), bench.now_ns, {LEG: PLENTY})
    assert trip(bench) == LOST
    assert any(isinstance(record, Stops) for record in step.records)
    assert submitted(all_canceled(bench)) == []


def test_a_loss_is_watched_while_the_bot_is_paused() -> None:
    bench = Bench(spec=bot_spec(stop_loss_usd=Decimal(10)))
    holding(bench)
    bench.feed(Paused(at_ns=bench.now_ns, leg="", who="ann", why="news"))
    fall(bench)
    assert trip(bench) == LOST


@pytest.mark.parametrize(
    ("reason", "trips"),
    [
        (RejectReason.INSUFFICIENT_FUNDS, True),
        (RejectReason.WOULD_CROSS, False),
        (RejectReason.NOTHING_TO_TAKE, False),
    ],
)
def test_refusal_after_refusal_trips_unless_it_is_the_market(reason: RejectReason, trips: bool) -> None:
    bench = Bench(spec=bot_spec(max_rejects_in_a_row=4))
    bench.connect()
    sent = submitted(bench.book(9_990, 10_010))
    for _ in range(2):
        for request in sent:
            bench.feed(SubmitRejected(at_ns=bench.now_ns, leg=LEG, client_id=request.client_id, reason=reason))
        sent = submitted(bench.wait(5))
    assert bool(trip(bench)) is trips


def test_an_order_that_is_taken_ends_the_row_of_refusals() -> None:
    bench = Bench(spec=bot_spec(max_rejects_in_a_row=2))
    bench.connect()
    bid, ask = submitted(bench.book(9_990, 10_010))
    refused = {"at_ns": bench.now_ns, "leg": LEG, "reason": RejectReason.INVALID}
    bench.feed(SubmitRejected(client_id=bid.client_id, **refused))
    bench.accept(ask)
    (again,) = submitted(bench.wait(5))
    bench.feed(SubmitRejected(client_id=again.client_id, **refused))
    assert trip(bench) == ""


def test_an_order_whose_fill_is_heard_before_its_answer_ends_the_row_of_refusals() -> None:
    bench = Bench(spec=bot_spec(max_rejects_in_a_row=2))
    bench.connect()
    bid, ask = submitted(bench.book(9_990, 10_010))
    refused = {"at_ns": bench.now_ns, "leg": LEG, "reason": RejectReason.INVALID}
    bench.feed(SubmitRejected(client_id=bid.client_id, **refused))
    bench.fill(ask, ask.lots)
    (again,) = (order for order in submitted(bench.wait(5)) if order.side is Side.BUY)
    bench.feed(SubmitRejected(client_id=again.client_id, **refused))
    assert trip(bench) == ""


def test_an_amend_that_is_taken_ends_the_row_of_refusals() -> None:
    bench = Bench(spec=bot_spec(max_rejects_in_a_row=2), can_amend=True)
    bid, ask = bench.quoting()
    moved = {command.order.request.client_id for command in amended(bench.book(9_890, 9_910))}
    assert moved == {bid.client_id, ask.client_id}
    refused = {"at_ns": bench.now_ns, "leg": LEG, "reason": RejectReason.INVALID}
    bench.feed(AmendRejected(client_id=bid.client_id, **refused))
    terms = bench.orders[ask.client_id].amended
    assert terms is not None
    done = report_of(terms, OrderStatus.RESTING)
    bench.feed(OrderAmended(at_ns=bench.now_ns, leg=LEG, report=done))
    bench.wait(5)
    bench.feed(AmendRejected(client_id=bid.client_id, **refused))
    assert trip(bench) == ""


def test_an_old_mark_price_is_no_reference_any_more() -> None:
    bench = Bench()
    bench.connect()
    bench.feed(MarkPriceUpdated(at_ns=bench.now_ns, leg=LEG, mark=Decimal(50)))
    assert submitted(bench.book(9_990, 10_010)) == []
    assert len(submitted(bench.wait(11))) == 2
