"""What of the book is not ours: `engine.trading.others`."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from engine.clock import NS_PER_S
from engine.model.order import OrderReport, OrderRequest, OrderStatus, Side
from engine.trading.lifecycle import OwnOrder
from engine.trading.others import OwnLevels

BOOK = ((100, 10), (99, 5))


RESTING = OrderReport(
    venue_order_id="7",
    client_id=1,
    side=Side.BUY,
    ticks=100,
    lots=10,
    executed_lots=0,
    status=OrderStatus.RESTING,
)


def order(ticks: int, lots: int, client_id: int = 1) -> OwnOrder:
    request = OrderRequest(leg="main", client_id=client_id, slot="bid.0", side=Side.BUY, ticks=ticks, lots=lots)
    return OwnOrder(request, submitted_ns=0, dead_after_ns=0)


def news(levels: OwnLevels, own: OwnOrder, status: OrderStatus, *, executed: int = 0, at_s: float = 0) -> None:
    request = own.request
    report = OrderReport(
        venue_order_id="7",
        client_id=request.client_id,
        side=request.side,
        ticks=request.ticks,
        lots=request.lots,
        executed_lots=executed,
        status=status,
    )
    own.reported(report, round(at_s * NS_PER_S))
    levels.changed(own)


def others(levels: OwnLevels, *live: OwnOrder, at_s: float = 0, book: tuple[tuple[int, int], ...] = BOOK) -> object:
    return levels.others(Side.BUY, book, live, round(at_s * NS_PER_S))


@pytest.mark.parametrize(
    ("lots", "left"),
    [
        pytest.param(4, ((100, 6), (99, 5)), id="somebody else is there too"),
        pytest.param(10, ((99, 5),), id="only we are there"),
        pytest.param(12, BOOK, id="smaller than ours: the book does not show us yet"),
    ],
)
def test_a_resting_order_is_taken_out(lots: int, left: object) -> None:
    levels, own = OwnLevels(), order(100, lots)
    news(levels, own, OrderStatus.RESTING)
    assert others(levels, own) == left


def test_an_order_nobody_has_confirmed_is_not_looked_for() -> None:
    assert others(OwnLevels(), order(100, 10)) == BOOK


def test_what_ended_is_taken_out_for_a_moment_longer() -> None:
    levels, own = OwnLevels(), order(100, 10)
    news(levels, own, OrderStatus.RESTING)
    news(levels, own, OrderStatus.CANCELED, at_s=5)
    assert others(levels, at_s=5.5) == ((99, 5),)
    assert others(levels, at_s=7) == BOOK


def test_what_was_executed_is_taken_out_with_the_rest() -> None:
    levels, own = OwnLevels(), order(100, 10)
    news(levels, own, OrderStatus.RESTING)
    news(levels, own, OrderStatus.RESTING, executed=4, at_s=5)
    assert others(levels, own, at_s=5.1) == ((99, 5),)
    assert others(levels, own, at_s=5.1, book=((100, 6), (99, 5))) == ((99, 5),)
    assert others(levels, own, at_s=5.1, book=((100, 13), (99, 5))) == ((100, 3), (99, 5))


def test_the_other_side_is_another_side() -> None:
    levels, own = OwnLevels(), order(100, 10)
    news(levels, own, OrderStatus.RESTING)
    assert levels.others(Side.SELL, BOOK, (own,), 0) == BOOK


def test_an_order_that_is_being_amended_may_show_at_either_price_and_the_old_one_lingers() -> None:
    levels, own = OwnLevels(), order(100, 10)
    news(levels, own, OrderStatus.RESTING)
    own.amend_sent(replace(own.request, ticks=99), NS_PER_S, dead_after_ns=9 * NS_PER_S)
    levels.changed(own)
    assert others(levels, own, at_s=1.1) == ()
    assert others(levels, own, at_s=1.1, book=((99, 15),)) == ((99, 5),)
    own.amend_done(replace(RESTING, ticks=99), 2 * NS_PER_S)
    levels.changed(own)
    assert others(levels, own, at_s=2.1, book=((100, 10), (99, 15))) == ((99, 5),)
    assert others(levels, own, at_s=4, book=((100, 10), (99, 15))) == ((100, 10), (99, 5))
