"""Ways in which limits, cancels and flattening could go wrong while news is late: found by attacking the machine."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from engine.model.commands import Command
from engine.model.order import OrderRequest, OrderStatus, Side
from tests.trading.desk_bench import (
    PERP,
    Bench,
    asked,
    bot_spec,
    canceled,
    report_of,
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
