"""`requote_interval_s`: how long a quote stays where it was put, and what does not wait for it."""

from __future__ import annotations

import pytest

from engine.clock import NS_PER_S
from engine.model.events import QueryFailed, StopRequested, TimePassed
from engine.model.order import OrderStatus, Side
from tests.trading.desk_bench import LEG, PLENTY, Bench, bot_spec, canceled, side_of, submitted

FAR = (10_090, 10_110)


@pytest.fixture
def bench() -> Bench:
    bench = Bench(spec=bot_spec(requote_interval_s=5))
    bench.quoting()
    return bench


def test_a_quote_stays_for_the_interval_and_moves_when_it_is_over_though_nothing_happens(bench: Bench) -> None:
    assert bench.book(*FAR) == []
    wake_ns = bench.machine.step(TimePassed(at_ns=bench.now_ns, leg=""), {LEG: PLENTY}).wake_ns
    assert wake_ns is not None and wake_ns <= bench.now_ns + 5 * NS_PER_S
    assert len(canceled(bench.wait(5))) == 2


def test_what_must_not_rest_is_taken_away_at_once(bench: Bench) -> None:
    bench.wait(31)
    assert (
        len(canceled(bench.feed(QueryFailed(at_ns=bench.now_ns, leg=LEG, query="QueryPosition", why="503")))) == 2
    )


def test_an_end_is_not_kept_waiting(bench: Bench) -> None:
    bench.book(*FAR)
    stop = StopRequested(at_ns=bench.now_ns, leg=LEG, why="test", keep_position=True, reduce_until_ns=bench.now_ns)
    assert len(canceled(bench.feed(stop))) == 2


def test_what_is_gone_is_placed_anew_at_once_where_the_market_is(bench: Bench) -> None:
    bid = next(report.request for report in bench.orders.values() if report.request.side is Side.BUY)
    bench.book(*FAR)
    (again,) = submitted(bench.update(bid, OrderStatus.CANCELED))
    assert (again.slot, again.ticks) == ("bid.0", 10_089)


def test_without_an_interval_a_quote_moves_with_the_market() -> None:
    bench = Bench()
    quotes = bench.quoting()
    assert side_of(quotes, Side.BUY).client_id in canceled(bench.book(*FAR))
