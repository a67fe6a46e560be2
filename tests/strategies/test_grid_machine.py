"""A grid through the bot's machine: what its fills imply is what rests, at once, and after every restart."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ConfigInvalid
from engine.model.events import OrderUpdated, QueryFailed, StopRequested
from engine.model.instrument import Instrument
from engine.model.order import OrderRequest, OrderStatus, Side
from engine.spec.types import StopPolicy, StrategySpec
from engine.strategies.registry import build_strategy
from tests.strategies.grids import GRID_PARAMETERS, grid_spec, view_at
from tests.trading.desk_bench import (
    LEG,
    PERP,
    PLENTY,
    SPOT,
    Bench,
    asked,
    canceled,
    report_of,
    submitted,
)

LONG = {"levels": 3, "direction": "long", "max_position": Decimal(1)}


def running(instrument: Instrument = PERP, *, book: tuple[int, int] = (9_999, 10_001), **changes: Any) -> Bench:
    """A grid whose first orders rest."""
    bench = Bench(instrument=instrument, spec=grid_spec(instrument, **changes))
    bench.quoting(*book)
    return bench


def at(bench: Bench, ticks: int) -> OrderRequest:
    """The live order at a price."""
    (found,) = [
        record.request for record in bench.orders.values() if live(record) and record.request.ticks == ticks
    ]
    return found


def live(record: Any) -> bool:
    return not record.state.is_done


def armed(bench: Bench) -> dict[tuple[Side, int], int]:
    """Lots that rest or may rest, by side and price."""
    lots: dict[tuple[Side, int], int] = {}
    for record in bench.orders.values():
        request = record.request
        if live(record):
            key = (request.side, request.ticks)
            lots[key] = lots.get(key, 0) + request.lots - record.filled_lots
    return lots


def fill_and_accept(bench: Bench, request: OrderRequest, lots: int) -> OrderRequest:
    """A fill, and the one counter order it leads to, accepted."""
    (counter,) = submitted(bench.fill(request, lots))
    bench.accept(counter)
    return counter


def test_the_counter_order_leaves_in_the_step_of_the_fill() -> None:
    """H57: elsewhere it came up to 90 seconds later."""
    bench = running()
    counter = submitted(bench.fill(at(bench, 9_900), 10))
    assert [(order.side, order.ticks, order.lots) for order in counter] == [(Side.SELL, 10_000, 10)]


def test_a_buy_filled_in_three_parts_arms_each_part_and_no_more() -> None:
    """H7: elsewhere 2.99 of 10 was armed."""
    bench = running()
    buy = at(bench, 9_900)
    parts = [fill_and_accept(bench, buy, lots) for lots in (3, 3, 4)]
    assert [(part.ticks, part.lots) for part in parts] == [(10_000, 3), (10_000, 3), (10_000, 4)]
    assert len({part.slot for part in parts}) == 3


def test_a_level_stays_locked_until_its_close_is_filled() -> None:
    """H8: elsewhere it was freed with 7 of 10 still open."""
    bench = running(levels=3)
    close = fill_and_accept(bench, at(bench, 9_800), 10)
    assert submitted(bench.fill(close, 3)) == []
    again = submitted(bench.fill(close, 7))
    assert [(order.side, order.ticks, order.lots) for order in again] == [(Side.BUY, 9_800, 10)]


def test_a_failed_query_leaves_the_grid_as_it_is() -> None:
    """H2, H3: elsewhere orders doubled, and closes appeared for positions that did not exist."""
    bench = running(SPOT)
    before = armed(bench)
    for _ in range(3):
        assert asked(bench.wait(31))
        for query in ("QueryOpenOrders", "QueryFills"):
            assert submitted(bench.feed(QueryFailed(at_ns=bench.now_ns, leg=LEG, query=query, why="503"))) == []
    assert armed(bench) == before


def test_orders_never_move_with_the_market() -> None:
    bench = running()
    for bid in (9_950, 9_901, 10_080, 9_999):
        assert bench.book(bid, bid + 2) == []


def test_a_level_the_market_has_passed_waits_and_is_not_refused_over_and_over() -> None:
    bench = running(**LONG, book=(9_899, 9_901))
    assert armed(bench) == {(Side.BUY, 9_800): 10}
    assert submitted(bench.book(9_997, 9_999)) == []
    assert [order.ticks for order in submitted(bench.book(10_000, 10_001))] == [10_000]


def test_without_post_only_a_passed_level_is_taken_at_once() -> None:
    bench = running(**LONG, post_only=False, book=(9_899, 9_901))
    assert armed(bench) == {(Side.BUY, 9_800): 10, (Side.BUY, 10_000): 10}


def test_a_long_grids_close_can_only_reduce_and_does_not_wait_for_the_venues_position() -> None:
    bench = running(**LONG, book=(10_299, 10_301))
    bench.book(10_001, 10_003)
    close = submitted(bench.fill(at(bench, 10_000), 10))
    assert [(order.side, order.ticks, order.lots, order.reduce_only) for order in close] == [
        (Side.SELL, 10_200, 10, True)
    ]


def test_a_fill_the_venue_counted_but_has_not_told_arms_nothing_twice() -> None:
    bench = running(levels=3)
    close = fill_and_accept(bench, at(bench, 9_800), 10)
    counted = OrderUpdated(at_ns=bench.now_ns, leg=LEG, report=report_of(close, OrderStatus.RESTING, 4))
    assert submitted(bench.feed(counted)) == []
    assert submitted(bench.fill(close, 4)) == []


@pytest.mark.parametrize("fills", [0, 1, 3])
def test_a_restart_finds_the_grid_as_it_was(fills: int) -> None:
    bench = running()
    for lots in (3, 3, 4)[:fills]:
        fill_and_accept(bench, at(bench, 9_900), lots)
    before = armed(bench)
    again = bench.restarted()
    resting = tuple(
        report_of(record.request, OrderStatus.RESTING, record.filled_lots) for record in again.memory.orders
    )
    assert submitted(again.connect(open_orders=resting)) == []
    assert again.book(9_899, 9_902) == []
    assert armed(again) == before


def test_a_new_range_is_taken_while_running_and_what_is_held_is_closed_where_it_was() -> None:
    bench = running(levels=3)
    fill_and_accept(bench, at(bench, 9_800), 10)
    moved = grid_spec(levels=3, lower="95", upper="97", reference_price="110")
    step = bench.machine.reconfigure(moved, bench.now_ns, {LEG: PLENTY})
    assert len(canceled(list(step.commands))) == 1
    assert {order.ticks for order in submitted(list(step.commands))} == {9_500, 9_600}
    assert armed(bench)[Side.SELL, 10_000] == 10


def test_flattening_ends_every_round_so_that_nothing_is_closed_twice() -> None:
    bench = running(levels=2, direction="long", stop_policy=StopPolicy.FLATTEN)
    close = fill_and_accept(bench, at(bench, 9_800), 10)
    commands = bench.feed(StopRequested(at_ns=bench.now_ns, leg="", why="stop"))
    commands += bench.update(close, OrderStatus.CANCELED) + bench.wait(1)
    (out,) = submitted(commands)
    bench.fill(out, 10)
    again = bench.restarted()
    again.connect()
    opened = submitted(again.book(9_999, 10_001))
    assert [(order.side, order.ticks, order.lots) for order in opened] == [(Side.BUY, 9_800, 10)]


grids = st.fixed_dictionaries(
    {
        "levels": st.integers(2, 30),
        "spacing": st.sampled_from(["arithmetic", "geometric"]),
        "lower": st.decimals("1", "99", places=2).map(str),
        "upper": st.decimals("100", "175", places=2).map(str),
        "order_size": st.decimals("0.01", "3", places=2).map(str),
        "direction": st.sampled_from(["neutral", "long", "short"]),
    }
)


@settings(max_examples=40)
@given(grids, st.integers(100, 30_000), st.integers(0, 2**32))
def test_targets_are_idempotent_and_on_tick_and_lot(grid: dict[str, Any], bid: int, seed: int) -> None:
    strategy = build_strategy(grid_spec(**grid).strategy)
    view = view_at(bid, random_fills(strategy, Random(seed), bid))
    target = strategy.target(view)[LEG]
    assert strategy.target(view)[LEG] == target
    assert len({quote.slot for quote in target.quotes}) == len(target.quotes)
    lots = PERP.lots_within(Decimal(grid["order_size"]))
    assert all(0 < quote.lots <= lots and quote.ticks > 0 for quote in target.quotes)


@settings(max_examples=40)
@given(grids, st.integers(0, 2**32))
def test_what_rests_is_what_the_fills_imply_and_nothing_crosses(grid: dict[str, Any], seed: int) -> None:
    """Random partial fills at random prices; the market stands wherever it likes."""
    random = Random(seed)
    free = {"max_position": None, "price_band_bps": Decimal(10_000), "max_orders_per_minute": 10**6}
    bench = Bench(spec=grid_spec(**free, **grid))
    bench.connect()
    bid = random.randint(9_000, 11_000)
    accept_all(bench, submitted(bench.book(bid, bid + 2)), bid)
    for _ in range(12):
        resting = [record for record in bench.orders.values() if live(record)]
        if resting and random.random() < 0.7:
            record = random.choice(resting)
            left = record.request.lots - record.filled_lots
            sent = submitted(bench.fill(record.request, random.randint(1, left)))
        else:
            bid = random.randint(9_000, 11_000)
            sent = submitted(bench.book(bid, bid + 2))
        accept_all(bench, sent, bid)
        check_armed(bench, bid)


def accept_all(bench: Bench, sent: list[OrderRequest], bid: int) -> None:
    while sent:
        assert all(request.ticks < bid + 2 if request.side is Side.BUY else request.ticks > bid for request in sent)
        sent = [more for request in sent for more in submitted(bench.accept(request))]


def check_armed(bench: Bench, bid: int) -> None:
    """By slot: never more than implied, and all of it wherever it may rest and has not split too often."""
    assert bench.spec is not None
    executed: dict[str, int] = {}
    rests: dict[str, list[int]] = {}
    for record in bench.orders.values():
        slot = record.request.slot.partition("+")[0]
        executed[slot] = executed.get(slot, 0) + record.filled_lots
        if live(record):
            rests.setdefault(slot, []).append(record.request.lots - record.filled_lots)
    target = build_strategy(bench.spec.strategy).target(view_at(bid, executed))[LEG]
    implied = {quote.slot: quote for quote in target.quotes}
    assert rests.keys() <= implied.keys()
    for slot, quote in implied.items():
        lots = rests.get(slot, [])
        assert sum(lots) <= quote.lots
        crosses = quote.ticks >= bid + 2 if quote.side is Side.BUY else quote.ticks <= bid
        assert sum(lots) == quote.lots or crosses or len(lots) == 5


def random_fills(strategy: Any, random: Random, bid: int) -> dict[str, int]:
    """Fills a grid may have had: it is asked what rests, and some of that fills."""
    executed: dict[str, int] = {}
    for _ in range(20):
        quotes = strategy.target(view_at(bid, executed))[LEG].quotes
        if quotes:
            quote = random.choice(quotes)
            executed = {**executed, quote.slot: executed.get(quote.slot, 0) + random.randint(1, quote.lots)}
    return executed


def test_wrong_parameters_are_refused_by_the_engine_too() -> None:
    parameters = {**GRID_PARAMETERS, "capital": "100"}
    with pytest.raises(ConfigInvalid, match="either order_size or capital"):
        build_strategy(StrategySpec(kind="grid", parameters=parameters))
