"""A session with the simulated Paradex, in virtual time: tokens, queued orders, whole books on the stream."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from engine.clock import NS_PER_S
from engine.exchanges.paradex.venue import Paradex
from engine.model.commands import (
    CancelOrder,
    QueryBalances,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    QueryOrderHistory,
    QueryPosition,
)
from engine.model.events import (
    BalancesReported,
    BookLost,
    BookUpdated,
    CancelAcknowledged,
    FillsReported,
    LegDisconnected,
    MarkPriceUpdated,
    OpenOrdersReported,
    OrderFilled,
    OrderHistoryReported,
    OrderUpdated,
    PositionReported,
    SubmitRejected,
)
from engine.model.order import OrderStatus, RejectReason, Side, TimeInForce
from engine.sim.machine import HttpReceived, SocketReceived
from tests.session.paradex_stage import BY_SOCKET, FIRST_ID, LEG, MARKET, PARADEX, Trader, play

both_ways = pytest.mark.parametrize("way", [PARADEX, BY_SOCKET], ids=["rest", "websocket"])


@both_ways
def test_an_order_is_queued_rests_is_seen_and_cancelled(way: Paradex) -> None:
    async def scene(trader: Trader) -> None:
        trader.submit(FIRST_ID, Side.BUY, trader.bid - 4_000, 150, post_only=True)
        await trader.until(lambda: trader.states(FIRST_ID).count(OrderStatus.RESTING) >= 2, "not resting")
        (opened,) = await trader.session.ask(QueryOpenOrders(leg=LEG))
        assert isinstance(opened, OpenOrdersReported)
        (report,) = opened.orders
        assert (report.client_id, report.lots, report.executed_lots) == (FIRST_ID, 150, 0)
        (found,) = await trader.session.ask(QueryOrder(leg=LEG, client_id=FIRST_ID))
        assert isinstance(found, OrderUpdated) and found.report == report
        cancel = CancelOrder(leg=LEG, client_id=FIRST_ID, venue_order_id=report.venue_order_id)
        trader.session.send(cancel)
        await trader.until(lambda: OrderStatus.CANCELED in trader.states(FIRST_ID), "not cancelled")
        assert trader.heard(CancelAcknowledged)
        assert trader.venue.ways == [SocketReceived if way is BY_SOCKET else HttpReceived] * 2

    play(scene, way=way)


@both_ways
def test_an_order_refused_behind_the_queue_is_a_late_refusal_and_then_over(way: Paradex) -> None:
    async def scene(trader: Trader) -> None:
        trader.submit(FIRST_ID, Side.BUY, trader.ask + 300, 150, post_only=True)
        await trader.until(lambda: OrderStatus.REJECTED in trader.states(FIRST_ID), "not refused")
        assert trader.states(FIRST_ID) == [OrderStatus.RESTING, OrderStatus.REJECTED]
        (refused,) = trader.heard(SubmitRejected)
        assert (refused.client_id, refused.reason) == (FIRST_ID, RejectReason.WOULD_CROSS)
        (history,) = await trader.session.ask(QueryOrderHistory(leg=LEG, since_ns=0))
        assert isinstance(history, OrderHistoryReported)
        assert [order.status for order in history.orders] == [OrderStatus.REJECTED]

    play(scene, way=way)


@both_ways
def test_an_order_that_takes_is_filled_and_moves_the_position(way: Paradex) -> None:
    async def scene(trader: Trader) -> None:
        trader.submit(FIRST_ID, Side.SELL, trader.bid - 300, 100, time_in_force=TimeInForce.IOC)
        await trader.until(lambda: OrderStatus.FILLED in trader.states(FIRST_ID), "not filled")
        first = next(number for number, event in enumerate(trader.events) if isinstance(event, OrderFilled))
        done = [isinstance(e, OrderUpdated) and e.report.status is OrderStatus.FILLED for e in trader.events]
        assert first < done.index(True), "an execution is heard before the order is done"
        heard = trader.heard(OrderFilled)
        assert sum(event.fill.lots for event in heard) == 100
        (fills,) = await trader.session.ask(QueryFills(leg=LEG, since_ns=0))
        assert isinstance(fills, FillsReported)
        assert {fill.trade_id for fill in fills.fills} == {event.fill.trade_id for event in heard}
        (position,) = await trader.session.ask(QueryPosition(leg=LEG))
        assert isinstance(position, PositionReported) and position.position.lots == -100
        assert trader.heard(PositionReported)[-1].position.lots == -100
        (balances,) = await trader.session.ask(QueryBalances(leg=LEG))
        assert isinstance(balances, BalancesReported)
        fees = sum(fill.fee for fill in fills.fills)
        assert balances.balances[0].total == Decimal(10_000) - fees

    play(scene, way=way)


def test_a_session_outlives_its_tokens_without_losing_its_streams() -> None:
    async def scene(trader: Trader) -> None:
        for _ in range(40):
            await trader.world.sleep(30)
        assert not trader.heard(LegDisconnected)
        await trader.session.ask(QueryPosition(leg=LEG))
        trader.submit(FIRST_ID, Side.BUY, trader.bid - 4_000, 150, post_only=True)
        await trader.until(lambda: trader.states(FIRST_ID).count(OrderStatus.RESTING) >= 2, "not resting")

    play(scene)


def test_the_book_follows_the_market_and_is_never_lost() -> None:
    async def scene(trader: Trader) -> None:
        await trader.world.sleep(60)
        assert not trader.heard(BookLost)
        at = trader.venue.exchange.markets[MARKET]
        await trader.world.sleep(0.2)
        shown = trader.heard(BookUpdated)[-1]
        assert abs(shown.bids[0][0] - (at.book.best(Side.BUY) or 0)) < 500
        assert len(trader.heard(BookUpdated)) > 60
        assert trader.heard(MarkPriceUpdated)
        ages = [event.at_ns for event in trader.heard(BookUpdated)]
        assert max(later - earlier for earlier, later in pairwise(ages)) < 10 * NS_PER_S

    play(scene)
