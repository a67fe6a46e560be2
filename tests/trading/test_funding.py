"""Funding: asked for when it may have been paid, counted once, part of the profit, and the same after a restart."""

from __future__ import annotations

from decimal import Decimal
from itertools import count, pairwise

from hypothesis import given
from hypothesis import strategies as st

from engine.clock import NS_PER_S
from engine.model.account import FundingPayment
from engine.model.commands import Command, QueryFunding
from engine.model.events import (
    Event,
    FundingAnnounced,
    FundingReported,
    LegConnected,
    LegDisconnected,
    MarkPriceUpdated,
    QueryFailed,
)
from engine.model.order import OrderRequest, OrderStatus, Side
from engine.trading.accounting import Accounting
from engine.trading.funding import (
    DOUBT_NS,
    FIRST_RETRY_NS,
    GAP_NS,
    LAST_RETRY_NS,
    LOST,
    NOT_TOLD,
    OVERLAP_NS,
    SEEN_KEPT,
    SOON_NS,
    STEADY_NS,
    Funding,
    own_part,
)
from engine.trading.records import FillRecord, FundingRecord, as_counted
from tests.trading.desk_bench import LEG, PERP, SPOT, Bench, bot_spec, fill_of, report_of, side_of


def paid(payment_id: str, amount: str = "-0.5", *, at_ns: int) -> FundingPayment:
    return FundingPayment(payment_id=payment_id, amount=Decimal(amount), at_ns=at_ns)


def told(bench: Bench, *payments: FundingPayment, since_ns: int = 0) -> list[Command]:
    event = FundingReported(
        at_ns=bench.now_ns, leg=LEG, requested_ns=bench.now_ns, since_ns=since_ns, payments=payments
    )
    return bench.feed(event)


def held(lots: int = 100) -> Bench:
    """A bot that quotes and was filled once, and has been told that nothing was paid so far."""
    bench = Bench(tells_funding=True)
    bench.fill(side_of(bench.quoting(), Side.BUY), lots)
    told(bench)
    return bench


def asked(commands: list[Command]) -> list[int]:
    """Since when each question of the commands asks."""
    return [command.since_ns for command in commands if isinstance(command, QueryFunding)]


def later(bench: Bench, seconds: float) -> list[Command]:
    """Time passes, and a round of questions that was due is answered: what rests still does."""
    commands = bench.wait(seconds)
    live = [record for record in bench.orders.values() if not record.state.is_done]
    resting = tuple(report_of(each.request, OrderStatus.RESTING, each.executed_lots) for each in live)
    return commands + bench.answer(open_orders=resting)


# When it asks ----------------------------------------------------------------------------------------------


def test_nothing_is_asked_before_the_first_fill_and_then_at_once_from_that_fill_on() -> None:
    bench = Bench(tells_funding=True)
    quotes = bench.quoting()
    assert not asked(bench.wait(1000)) and bench.status.funding_why_not == ""
    assert asked(bench.fill(side_of(quotes, Side.BUY), 10)) == [bench.now_ns]
    assert bench.status.funding_why_not == "not asked yet"


def test_it_asks_again_steadily_a_moment_after_an_announcement_and_when_the_funding_clock_moves() -> None:
    bench = held()
    assert not asked(bench.wait(10))
    bench.feed(FundingAnnounced(at_ns=bench.now_ns, leg=LEG))
    assert not asked(bench.wait(SOON_NS / NS_PER_S / 2))
    assert asked(bench.wait(SOON_NS / NS_PER_S / 2))
    told(bench)
    for moment, moved in ((1, False), (1, False), (2, True)):
        bench.feed(MarkPriceUpdated(at_ns=bench.now_ns, leg=LEG, mark=Decimal(100), funding_ns=moment))
        assert bool(asked(bench.wait(SOON_NS / NS_PER_S))) is moved
    told(bench)
    assert asked(later(bench, STEADY_NS / NS_PER_S))


def test_however_much_is_announced_questions_keep_a_distance_and_the_last_announcement_is_never_forgotten() -> None:
    bench = held()
    moments = []
    for _ in range(60):
        bench.feed(FundingAnnounced(at_ns=bench.now_ns, leg=LEG))
        if asked(later(bench, 0.5)):
            moments.append(bench.now_ns)
            told(bench)
    assert len(moments) > 5 and all(late - early >= GAP_NS for early, late in pairwise(moments))
    last_ns = bench.now_ns
    while not asked(later(bench, 0.5)):
        assert bench.now_ns - last_ns < 2 * GAP_NS
    assert bench.now_ns - last_ns >= SOON_NS - GAP_NS or asked(later(bench, GAP_NS / NS_PER_S))


def test_after_a_reconnect_it_asks_when_the_fills_are_known_again() -> None:
    bench = held()
    bench.feed(LegDisconnected(at_ns=bench.now_ns, leg=LEG, reason="gone"))
    assert not asked(bench.wait(STEADY_NS / NS_PER_S))
    assert not asked(bench.feed(LegConnected(at_ns=bench.now_ns, leg=LEG)))
    assert asked(later(bench, 0))


def test_every_question_overlaps_the_newest_known_payment_and_never_reaches_back_before_the_first_fill() -> None:
    bench = held()
    first_ns = bench.fills[0].fill.at_ns
    late_ns = first_ns + 3 * OVERLAP_NS
    told(bench, paid("1", at_ns=first_ns + 1))
    assert asked(later(bench, STEADY_NS / NS_PER_S)) == [first_ns]
    told(bench, paid("2", at_ns=late_ns))
    assert asked(later(bench, STEADY_NS / NS_PER_S)) == [late_ns - OVERLAP_NS]


def test_a_spot_market_and_a_venue_that_does_not_tell_are_never_asked_and_only_the_latter_says_so() -> None:
    for instrument, words in ((SPOT, ""), (PERP, NOT_TOLD)):
        bench = Bench(instrument=instrument, spec=bot_spec(instrument), tells_funding=instrument is SPOT)
        commands = bench.fill(side_of(bench.quoting(), Side.BUY), 10) + bench.wait(1000)
        assert (asked(commands), bench.status.funding_why_not) == ([], words)


# What fails ------------------------------------------------------------------------------------------------


def test_a_failed_question_counts_nothing_says_so_is_repeated_later_and_later_and_stops_no_trading() -> None:
    bench, failed = held(), "the venue answered 503"
    told(bench, paid("1", at_ns=bench.now_ns))
    bench.wait(STEADY_NS / NS_PER_S)
    waited = []
    for _ in range(8):
        bench.feed(QueryFailed(at_ns=bench.now_ns, leg=LEG, query="QueryFunding", why=failed))
        assert (bench.status.funding, bench.status.funding_why_not) == (Decimal("-0.5"), failed)
        since_ns = bench.now_ns
        while not asked(bench.wait(1)):
            assert bench.now_ns - since_ns < 2 * LAST_RETRY_NS
        waited.append(bench.now_ns - since_ns)
    assert waited == sorted(waited) and (waited[0], waited[-1]) == (FIRST_RETRY_NS, LAST_RETRY_NS)
    assert bench.status.ready or bench.status.why_not == "asking the venue"
    told(bench)
    assert bench.status.funding_why_not == ""


def test_an_answer_that_does_not_reach_back_far_enough_is_an_alarm() -> None:
    bench = held()
    told(bench, paid("9", at_ns=bench.now_ns + 1), since_ns=bench.now_ns + 1)
    assert bench.status.funding_why_not == LOST
    assert [note.facts["why"] for note in bench.notes if note.alarm] == [LOST]


# What counts -----------------------------------------------------------------------------------------------


def test_a_payment_counts_once_however_often_it_is_told_and_after_a_restart_too() -> None:
    bench = held()
    before = bench.machine.watch.net_usd
    one, two = paid("1", "-0.5", at_ns=bench.now_ns), paid("2", "0.2", at_ns=bench.now_ns + 1)
    for payments in ((one,), (one, two), (two, one)):
        told(bench, *payments)
    assert before is not None and bench.machine.watch.net_usd == before - Decimal("0.3")
    again = bench.restarted()
    assert again.status.funding == bench.status.funding == Decimal("-0.3")
    assert again.status.equity == bench.status.equity
    again.connect()
    told(again, one, two)
    assert again.status.funding == Decimal("-0.3") and len(again.funding) == 2


def test_nothing_and_what_was_paid_before_the_bot_ever_traded_is_not_its_own() -> None:
    bench = held()
    first_ns = bench.fills[0].fill.at_ns
    told(bench, paid("0", "0", at_ns=bench.now_ns), paid("1", at_ns=first_ns - 1))
    assert (bench.status.funding, bench.funding) == (0, [])


def test_a_loss_by_funding_trips_the_stop_loss() -> None:
    bench = Bench(tells_funding=True, spec=bot_spec(stop_loss_usd=Decimal(3)))
    bench.fill(side_of(bench.quoting(), Side.BUY), 100)
    assert bench.machine.status().trip == ""
    told(bench, paid("1", "-4", at_ns=bench.now_ns))
    assert "stop_loss_usd" in bench.machine.status().trip


def test_of_a_position_that_own_fills_do_not_explain_only_the_own_part_is_the_bots() -> None:
    amount = Decimal("-0.6")
    assert own_part(amount, 100, 0) == amount
    assert own_part(amount, 100, 200) == Decimal("-0.2")
    assert own_part(amount, 0, 200) == 0
    assert own_part(amount, 100, -300) == Decimal("0.3")
    assert own_part(amount, 100, -100) == amount
    assert own_part(Decimal(1), 1, 2) == Decimal("0.333333333333")


def test_a_bot_beside_a_strangers_position_counts_its_own_part_and_writes_both_down() -> None:
    bench = held(100)
    for _ in range(2):
        bench.wait(60)
        bench.answer(position_lots=400)
    payment = paid("1", "-0.8", at_ns=bench.now_ns)
    told(bench, payment)
    assert bench.status.funding == 0 and "not clear" in bench.status.funding_why_not, "the venue may have told late"
    bench.wait(DOUBT_NS / NS_PER_S)
    bench.answer(position_lots=400)
    told(bench, payment)
    assert bench.status.funding == Decimal("-0.2")
    assert [(one.payment.amount, one.own) for one in bench.funding] == [(Decimal("-0.8"), Decimal("-0.2"))]


def test_a_position_that_the_venue_told_of_too_late_takes_nothing_from_a_payment() -> None:
    bench = held(100)
    for _ in range(2):
        bench.wait(60)
        bench.answer(position_lots=0)
    payment = paid("1", "-0.8", at_ns=bench.now_ns)
    told(bench, payment)
    bench.wait(60)
    bench.answer(position_lots=100)
    told(bench, payment)
    assert (bench.status.funding, bench.status.funding_why_not) == (Decimal("-0.8"), "")


# Properties ------------------------------------------------------------------------------------------------


deeds = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(Side), st.integers(1, 50), st.integers(1, 20)),
        st.decimals(-5, 5, places=9).filter(bool),
    ),
    max_size=40,
)


@given(deeds, st.integers(2, 100))
def test_net_profit_is_what_fills_made_and_what_funding_paid_and_a_replay_makes_the_same_books(
    done: list[tuple[Side, int, int] | Decimal], twice_mid: int
) -> None:
    books, only_fills, numbers = Accounting(PERP), Accounting(PERP), count(1)
    funding = Funding(LEG, books, is_paid=True, is_told=True)
    fills: list[FillRecord] = []
    payments: list[FundingRecord] = []
    for deed in done:
        number = next(numbers)
        if isinstance(deed, Decimal):
            payments += funding.take(reported(number, paid(str(number), str(deed), at_ns=number)), 0)
            continue
        side, ticks, lots = deed
        request = OrderRequest(leg=LEG, client_id=number, slot="s", side=side, ticks=ticks, lots=lots)
        fills.append(FillRecord(leg=LEG, slot="s", fill=fill_of(request, lots, f"t{number}", at_ns=number)))
        books.add("s", fills[-1].fill)
        only_fills.add("s", fills[-1].fill)
    total = sum((record.payment.amount for record in payments), Decimal(0))
    net = only_fills.net_pnl(twice_mid)
    assert net is not None and books.net_pnl(twice_mid) == net + total
    assert (books.funding, books.realised_pnl) == (total, only_fills.realised_pnl)
    assert state(replayed(fills, payments)) == state(books)


def replayed(fills: list[FillRecord], payments: list[FundingRecord]) -> Accounting:
    books = Accounting(PERP)
    funding = Funding(LEG, books, is_paid=True, is_told=True)
    for counted in as_counted(fills, payments):
        if isinstance(counted, FundingRecord):
            funding.remember(counted)
        else:
            books.add(counted.slot, counted.fill)
    return books


def state(books: Accounting) -> object:
    return books.funding, books.quote_change, books.equity.points, books.equity.peak_drawdown, books.fills


def reported(at_ns: int, *payments: FundingPayment) -> FundingReported:
    return FundingReported(at_ns=at_ns, leg=LEG, requested_ns=at_ns, since_ns=0, payments=payments)


def test_years_of_payments_are_remembered_by_their_sum_and_a_bounded_number_of_names() -> None:
    bench = held()
    start_ns = bench.now_ns
    for day in range(100):
        told(bench, *(paid(f"{day}/{n}", "0.1", at_ns=start_ns + 100 * day + n) for n in range(100)))
    assert bench.status.funding == Decimal(1000)
    [leg] = bench.machine._legs.values()
    assert len(leg.funding._seen) == SEEN_KEPT


def test_no_event_of_funding_makes_an_unknown_leg_fail() -> None:
    bench, events = held(), (reported(1), FundingAnnounced(at_ns=1, leg=LEG))
    for event in events:
        stranger: Event = type(event)(**{**{f: getattr(event, f) for f in event.__struct_fields__}, "leg": "?"})
        assert bench.feed(stranger) == []
