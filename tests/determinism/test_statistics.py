"""Statistics over kill -9: at every crash they agree with the journal, and in the end with the venue."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from decimal import Decimal

import msgspec
import pytest

from engine.control.statistics import statistics_of_books
from engine.model.order import OrderStatus
from engine.runtime.journal_reader import leg_books
from engine.trading.records import OrderRecord, OrderState
from engine.trading.statistics import LegStatistics
from tests.determinism.conftest import MakePlay
from tests.determinism.play import ACCOUNT, MARKET, Play

CRASHES = ([40, 150, 31], [97, 7, 260], [12, 333, 64], [201, 90, 55])
ALONE_S, BUSY_S, QUIET_S = 0.7, 5.0, 30.0
OVER = (OrderState.CANCELED, OrderState.EXPIRED, OrderState.FILLED)


def in_journal(play: Play) -> LegStatistics | None:
    """What a reader from outside finds."""
    books = leg_books(play.journal(), "main", MARKET)
    return statistics_of_books(books) if books else None


def orders_in_journal(play: Play) -> list[OrderRecord]:
    with closing(sqlite3.connect(play.journal())) as reader:
        rows = reader.execute("SELECT record FROM orders").fetchall()
    return [msgspec.json.decode(record, type=OrderRecord) for (record,) in rows]


def assert_counts_are_the_records(play: Play) -> None:
    found, records = in_journal(play), orders_in_journal(play)
    if found is None:
        assert records == []
        return
    placed = [r for r in records if r.venue_order_id is not None and r.state is not OrderState.REJECTED]
    over = [r for r in records if r.state in OVER]
    orders, fills = found.total.orders, [each.fill for each in play.fills_in_journal()]
    assert (orders.placed, orders.canceled + orders.expired + orders.filled) == (len(placed), len(over))
    assert orders.rejected == sum(r.state is OrderState.REJECTED for r in records)
    assert found.total.bought + found.total.sold == sum(fill.lots for fill in fills) * Decimal("0.01")
    assert found.total.fees == sums([(fill.fee_asset, fill.fee) for fill in fills])


def sums(amounts: list[tuple[str, Decimal]]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for asset, amount in amounts:
        total[asset] = total.get(asset, Decimal(0)) + amount
    return total


@pytest.mark.parametrize("crash_points", CRASHES, ids=str)
def test_at_every_crash_the_counts_are_those_of_the_records_and_in_the_end_the_venues(
    make_play: MakePlay, crash_points: list[int]
) -> None:
    play = make_play(seed=11)
    play.run(crash_and_return(play, crash_points))


async def crash_and_return(play: Play, crash_points: list[int]) -> None:
    for crash_at in crash_points:
        await play.live_and_die(for_s=60.0, crash_at=crash_at)
        assert_counts_are_the_records(play)
        await asyncio.sleep(ALONE_S)
    process = play.process(play.world())
    life = asyncio.ensure_future(process.live())
    await asyncio.wait((life,), timeout=BUSY_S)
    play.is_quiet = True
    await asyncio.wait((life,), timeout=QUIET_S)
    process.request_stop("the play is over")
    assert process.bot is not None
    machine = process.bot
    await life
    assert_counts_are_the_records(play)
    said, written = machine.statistics.legs["main"], in_journal(play)
    assert written is not None
    assert (said.total.orders, said.run.orders, said.run.fills) == (
        written.total.orders,
        written.run.orders,
        written.run.fills,
    )
    assert said.total.latency == written.total.latency
    assert_counts_are_the_venues(play, said)


def assert_counts_are_the_venues(play: Play, found: LegStatistics) -> None:
    history = play.venue.exchange.order_history(ACCOUNT)
    ends = [order.status for order in history]
    orders = found.total.orders
    assert orders.placed == len(history)
    assert orders.filled == ends.count(OrderStatus.FILLED)
    assert orders.canceled == ends.count(OrderStatus.CANCELED)
    assert found.total.fills == len(play.fills_at_venue())
