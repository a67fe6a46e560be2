"""The machine of two legs: every own fill is hedged, once, whatever happens to the orders on the way."""

from __future__ import annotations

from decimal import Decimal

from engine.clock import NS_PER_MS
from engine.model.account import Fill
from engine.model.commands import CancelOrder, QueryBalances
from engine.model.events import LegConnected, OrderFilled, Paused, StopRequested
from engine.model.order import OrderStatus, RejectReason, Side, TimeInForce
from engine.spec.types import StopPolicy
from engine.trading.records import Budget
from tests.trading.desk_bench import canceled, fill_of
from tests.trading.hedge_bench import (
    HEDGE,
    MAKER,
    NOTHING_LEFT,
    HedgeBench,
    hedge_spec,
    only_hedge,
    sent_on,
)


def settled(bench: HedgeBench) -> None:
    """The venue accepts every maker order that was sent."""
    for record in bench.live(MAKER):
        if record.state == "submitted":
            bench.update(record.request, OrderStatus.RESTING)


def pulled(bench: HedgeBench) -> bool:
    """Whether no maker order is left that was not told to go."""
    settled(bench)
    return all(record.state == "cancel pending" for record in bench.live(MAKER))


def test_a_maker_fill_is_hedged_in_the_same_step() -> None:
    bench = HedgeBench()
    quotes = bench.quoting()
    hedge = only_hedge(bench.fill(quotes[Side.BUY], 100))
    assert (hedge.side, hedge.lots, hedge.ticks) == (Side.SELL, 10, 9_981)
    assert hedge.time_in_force is TimeInForce.IOC and not hedge.reduce_only
    assert sent_on(HEDGE, bench.fill(hedge, 10)) == []
    assert sent_on(HEDGE, bench.wait(1)) == []
    assert bench.hedge.residual == 0


def test_partial_fills_below_the_hedge_lot_are_added_up() -> None:
    bench = HedgeBench()
    ask = bench.quoting()[Side.SELL]
    assert sent_on(HEDGE, bench.fill(ask, 4)) == []
    assert sent_on(HEDGE, bench.fill(ask, 5)) == []
    hedge = only_hedge(bench.fill(ask, 6))
    assert (hedge.side, hedge.lots) == (Side.BUY, 1)
    bench.fill(hedge, 1)
    assert bench.hedge.residual == Decimal("-0.05")
    assert bench.hedge.open_since_ns is None, "what is too little to hedge is not late"


def test_a_second_fill_is_hedged_while_the_first_hedge_is_under_way() -> None:
    bench = HedgeBench()
    bid = bench.quoting()[Side.BUY]
    first = only_hedge(bench.fill(bid, 30))
    second = only_hedge(bench.fill(bid, 70))
    assert (first.lots, second.lots) == (3, 7)
    bench.fill(first, 3)
    assert sent_on(HEDGE, bench.fill(second, 7)) == []
    assert bench.hedge.residual == 0


def test_a_hedge_that_closed_before_its_fill_arrived_is_not_sent_again() -> None:
    bench = HedgeBench()
    hedge = only_hedge(bench.fill(bench.quoting()[Side.BUY], 100))
    assert sent_on(HEDGE, bench.update(hedge, OrderStatus.FILLED, executed_lots=10)) == []
    assert sent_on(HEDGE, bench.wait(0.5)) == []
    assert sent_on(HEDGE, bench.fill(hedge, 10)) == []
    assert bench.hedge.residual == 0


def test_a_hedge_whose_outcome_is_unknown_is_not_sent_again_until_it_is_known() -> None:
    bench = HedgeBench()
    hedge = only_hedge(bench.fill(bench.quoting()[Side.BUY], 100))
    assert sent_on(HEDGE, bench.lose(hedge)) == []
    for _ in range(4):
        assert sent_on(HEDGE, bench.wait(1)) == []
    assert sent_on(HEDGE, bench.fill(hedge, 10)) == []
    assert bench.hedge.residual == 0


def test_a_hedge_that_never_arrived_is_sent_again() -> None:
    bench = HedgeBench()
    hedge = only_hedge(bench.fill(bench.quoting()[Side.BUY], 100))
    bench.lose(hedge)
    bench.wait(8)
    sent = sent_on(HEDGE, bench.answer(HEDGE))
    assert [order.lots for order in sent] == [10]


def test_what_may_turn_out_too_much_is_waited_for() -> None:
    bench = HedgeBench()
    quotes = bench.quoting()
    hedge = only_hedge(bench.fill(quotes[Side.BUY], 100))
    assert sent_on(HEDGE, bench.fill(quotes[Side.SELL], 100)) == [], (
        "the maker leg is flat again, the sale under way"
    )
    back = only_hedge(bench.fill(hedge, 10))
    assert (back.side, back.lots) == (Side.BUY, 10)


def test_a_partly_taken_hedge_is_followed_by_the_rest() -> None:
    bench = HedgeBench()
    hedge = only_hedge(bench.fill(bench.quoting()[Side.BUY], 100))
    assert sent_on(HEDGE, bench.fill(hedge, 4)) == []
    rest = only_hedge(bench.update(hedge, OrderStatus.CANCELED, executed_lots=4))
    assert rest.lots == 6


def test_a_hedge_that_finds_nothing_is_tried_again_later_and_later() -> None:
    bench = HedgeBench(spec=hedge_spec(escalate_after_s="60"))
    hedge = only_hedge(bench.fill(bench.quoting()[Side.BUY], 100))
    waits = []
    for _ in range(8):
        assert sent_on(HEDGE, bench.update(hedge, OrderStatus.EXPIRED)) == []
        began_ns = bench.now_ns
        while not (sent := sent_on(HEDGE, bench.wait(0.05))):
            assert bench.now_ns - began_ns < 3_000 * NS_PER_MS
        waits.append((bench.now_ns - began_ns) // NS_PER_MS)
        (hedge,) = sent
    assert waits == sorted(waits)
    assert waits[0] == 50 and waits[-1] == 2_000


def test_a_refused_hedge_stops_the_quotes_and_is_tried_again() -> None:
    bench = HedgeBench()
    hedge = only_hedge(bench.fill(bench.quoting()[Side.BUY], 100))
    commands = bench.refuse(hedge, RejectReason.INSUFFICIENT_FUNDS)
    assert canceled(commands) and pulled(bench)
    assert "refused" in bench.why_not
    again = only_hedge(bench.wait(0.5))
    assert again.lots == 10
    bench.update(bench.orders[MAKER, canceled(commands)[0]].request, OrderStatus.CANCELED)
    bench.fill(again, 10)
    assert bench.why_not == ""
    assert {record.request.side for record in bench.live(MAKER)} == set(Side)


def test_a_hedge_that_is_late_raises_one_alarm_and_stops_the_quotes_until_it_is_done() -> None:
    bench = HedgeBench()
    hedge = only_hedge(bench.fill(bench.quoting()[Side.BUY], 100))
    bench.lose(hedge)
    bench.wait(4.9)
    assert not bench.hedge.alarm and not pulled(bench)
    bench.wait(0.2)
    assert bench.hedge.alarm == "not hedged for 5 s" and pulled(bench)
    bench.wait(1)
    assert [note.what for note in bench.notes if note.alarm] == ["hedge alarm: quoting stopped"]
    bench.fill(hedge, 10)
    assert bench.hedge.alarm == ""
    assert [note.what for note in bench.notes][-1] == "hedge alarm over"


def test_more_than_max_unhedged_raises_the_alarm_at_once() -> None:
    bench = HedgeBench(spec=hedge_spec(order_size="3", max_unhedged="2.5"))
    quotes = bench.quoting()
    bench.lose_book(HEDGE)
    bench.fill(quotes[Side.BUY], 300)
    assert bench.hedge.alarm == "more than 2.5 SOL not hedged"
    hedge = only_hedge(bench.book(HEDGE))
    assert hedge.lots == 30
    bench.fill(hedge, 30)
    assert bench.hedge.alarm == ""


def test_nothing_is_quoted_without_a_fresh_hedge_leg() -> None:
    bench = HedgeBench()
    assert sent_on(MAKER, bench.ready(MAKER)) == []
    assert len(sent_on(MAKER, bench.ready(HEDGE))) == 2
    bench = HedgeBench()
    bench.quoting()
    assert len(canceled(bench.lose_book(HEDGE))) == 2


def test_nothing_is_quoted_without_budget_to_hedge() -> None:
    bench = HedgeBench()
    bench.ready(HEDGE)
    bench.budgets[HEDGE] = Budget(reduce=3, cancel=0, place=0)
    assert sent_on(MAKER, bench.ready(MAKER)) == []
    assert "budget" in bench.why_not


def test_an_empty_budget_of_the_maker_account_does_not_hold_up_a_hedge() -> None:
    bench = HedgeBench()
    quotes = bench.quoting()
    bench.budgets[MAKER] = NOTHING_LEFT
    assert only_hedge(bench.fill(quotes[Side.BUY], 100)).lots == 10


def test_the_round_of_the_hedge_leg_asks_what_is_free_and_that_of_the_maker_leg_does_not() -> None:
    bench = HedgeBench()
    asked = {leg: bench.feed(LegConnected(at_ns=bench.now_ns, leg=leg)) for leg in (MAKER, HEDGE)}
    assert [any(isinstance(each, QueryBalances) for each in asked[leg]) for leg in (MAKER, HEDGE)] == [False, True]


def test_nothing_is_quoted_that_the_hedge_account_could_not_carry() -> None:
    bench = HedgeBench()
    bench.free = Decimal(50)
    bench.ready(HEDGE)
    assert sent_on(MAKER, bench.ready(MAKER)) == []
    bench.free = Decimal(150)
    bench.wait(31)
    assert len(sent_on(MAKER, bench.answer(HEDGE))) == 2


def test_a_restart_hedges_what_was_open_and_only_that() -> None:
    bench = HedgeBench()
    hedge = only_hedge(bench.fill(bench.quoting()[Side.BUY], 100))
    bench.fill(hedge, 7)
    bench.update(hedge, OrderStatus.CANCELED, executed_lots=7)
    again = bench.restarted()
    assert again.hedge.residual == Decimal("0.3")
    assert again.hedge.open_since_ns is not None
    unsure = sent_on(HEDGE, again.ready(HEDGE))
    assert unsure == [], "the rest had been sent before the end, and its fate is not known yet"
    again.wait(8)
    assert [order.lots for order in sent_on(HEDGE, again.answer(HEDGE))] == [3]


def test_a_restart_hedges_although_the_maker_venue_is_away() -> None:
    bench = HedgeBench()
    bid = bench.quoting()[Side.BUY]
    bench.disconnect(HEDGE)
    bench.fill(bid, 100)
    again = bench.restarted()
    assert only_hedge(again.ready(HEDGE)).lots == 10


def test_an_order_under_way_when_the_bot_died_may_have_hedged_already() -> None:
    bench = HedgeBench()
    only_hedge(bench.fill(bench.quoting()[Side.BUY], 100))
    again = bench.restarted()
    assert sent_on(HEDGE, again.ready(HEDGE)) == []
    again.ready(MAKER)
    assert sent_on(HEDGE, again.wait(1)) == []


def test_a_leg_that_asks_its_venue_is_not_hedged_on() -> None:
    bench = HedgeBench()
    bid = bench.quoting()[Side.BUY]
    bench.disconnect(HEDGE)
    assert sent_on(HEDGE, bench.fill(bid, 100)) == []
    bench.feed(LegConnected(at_ns=bench.now_ns, leg=HEDGE))
    assert sent_on(HEDGE, bench.book(HEDGE)) == []
    assert only_hedge(bench.answer(HEDGE)).lots == 10


def test_the_fill_of_somebody_else_on_either_account_is_not_hedged() -> None:
    bench = HedgeBench()
    bid = bench.quoting()[Side.BUY]
    for leg in (MAKER, HEDGE):
        foreign = fill_of(bid, 100, f"foreign on {leg}", at_ns=bench.now_ns)
        fill = Fill(**{**{name: getattr(foreign, name) for name in foreign.__struct_fields__}, "client_id": 12_345})
        assert sent_on(HEDGE, bench.feed(OrderFilled(at_ns=bench.now_ns, leg=leg, fill=fill))) == []
    assert bench.hedge.residual == 0


def test_a_paused_bot_still_hedges() -> None:
    bench = HedgeBench()
    bid = bench.quoting()[Side.BUY]
    bench.feed(Paused(at_ns=bench.now_ns, leg="", who="ann", why="a look"))
    assert pulled(bench)
    assert only_hedge(bench.fill(bid, 100)).lots == 10


def test_a_stop_waits_for_the_hedge_and_then_keeps_both_legs() -> None:
    bench = HedgeBench()
    quotes = bench.quoting()
    commands = bench.feed(StopRequested(at_ns=bench.now_ns, leg="", why="enough"))
    assert len(canceled(commands)) == 2
    hedge = only_hedge(bench.fill(quotes[Side.BUY], 100))
    bench.update(quotes[Side.SELL], OrderStatus.CANCELED)
    assert not bench.machine.is_stopped
    assert sent_on(HEDGE, bench.update(hedge, OrderStatus.EXPIRED)) == []
    assert not bench.machine.is_stopped, "nothing is under way, and still not all is hedged"
    hedge = only_hedge(bench.wait(0.1))
    bench.fill(hedge, 10)
    assert bench.machine.is_stopped
    assert (bench.position_lots(MAKER), bench.position_lots(HEDGE)) == (100, -10)


def test_a_stop_that_flattens_takes_the_maker_leg_down_and_the_hedge_leg_follows() -> None:
    bench = HedgeBench(spec=hedge_spec(stop_policy=StopPolicy.FLATTEN))
    quotes = bench.quoting()
    bench.fill(only_hedge(bench.fill(quotes[Side.BUY], 100)), 10)
    settled(bench)
    commands = bench.feed(StopRequested(at_ns=bench.now_ns, leg="", why="enough"))
    for command in commands:
        if isinstance(command, CancelOrder):
            bench.update(bench.orders[MAKER, command.client_id].request, OrderStatus.CANCELED)
    (out,) = [record.request for record in bench.live(MAKER)]
    assert (out.side, out.lots, out.reduce_only) == (Side.SELL, 100, True)
    assert not bench.live(HEDGE)
    back = only_hedge(bench.fill(out, 100))
    assert (back.side, back.lots) == (Side.BUY, 10)
    assert not bench.machine.is_stopped
    bench.fill(back, 10)
    assert bench.machine.is_stopped
    assert (bench.position_lots(MAKER), bench.position_lots(HEDGE)) == (0, 0)


def test_a_large_residual_is_hedged_in_orders_within_the_limit_of_one() -> None:
    bench = HedgeBench(spec=hedge_spec(order_size="0.5", max_order_notional_usd=Decimal(60)))
    quotes = bench.quoting()
    bench.disconnect(HEDGE)
    bench.fill(quotes[Side.BUY], 50)
    settled(bench)
    late = fill_of(quotes[Side.BUY], 50, "late", at_ns=bench.now_ns)
    bench.feed(OrderFilled(at_ns=bench.now_ns, leg=MAKER, fill=late))
    lots = [order.lots for order in sent_on(HEDGE, bench.ready(HEDGE))]
    lots += [order.lots for order in sent_on(HEDGE, bench.wait(0.1))]
    assert lots == [6, 4]


def test_the_time_to_hedge_runs_from_the_fill_to_the_end_of_the_residual() -> None:
    bench = HedgeBench()
    quotes = bench.quoting()
    hedge = only_hedge(bench.fill(quotes[Side.BUY], 60))
    bench.wait(0.029)
    bench.fill(hedge, 6)
    hedge = only_hedge(bench.fill(quotes[Side.BUY], 40))
    bench.wait(0.4)
    bench.fill(hedge, 4)
    taken = bench.hedge.time_to_hedge
    assert (taken.count, taken.buckets) == (2, {"32": 1, "500": 1})
    assert taken.p50_ms == 32 and taken.longest_ms == 401
