"""What a leg has at stake, reckoned by hand: the position's worth, and what the book would take for it."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from engine.clock import NS_PER_S
from engine.model.account import Stake
from engine.model.events import BookLost, BookUpdated, LegDisconnected
from engine.model.order import Side
from tests.trading.desk_bench import LEG, PERP, Bench, side_of

TAKER = msgspec.structs.replace(PERP, taker_fee=Decimal("0.001"))


def stake(bench: Bench, later_s: int = 0) -> Stake:
    return bench.machine.stakes(bench.now_ns + later_s * NS_PER_S)[LEG]


def long_of(lots: int) -> Bench:
    """A bot that bought lots at 99.90; both of its quotes rest inside a book of 99.80 to 100.20."""
    bench = Bench(instrument=TAKER)
    bid = side_of(bench.quoting(), Side.BUY)
    bench.fill(bid, lots)
    bench.now_ns += NS_PER_S
    return bench


def with_book(bench: Bench, bids: tuple[tuple[int, int], ...], asks: tuple[tuple[int, int], ...]) -> Bench:
    bench.now_ns += 2 * NS_PER_S
    bench.feed(BookUpdated(at_ns=bench.now_ns, leg=LEG, bids=bids, asks=asks))
    return bench


def test_a_flat_leg_costs_nothing_to_flatten() -> None:
    bench = Bench(instrument=TAKER)
    bench.quoting()
    now = stake(bench)
    assert (now.notional, now.spread, now.slippage, now.fee) == (0, 0, 0, 0)


def test_taking_a_position_out_costs_half_the_spread_the_depth_and_the_fee() -> None:
    bench = with_book(long_of(40), bids=((9_900, 10), (9_890, 20), (9_800, 500)), asks=((10_100, 500),))
    now = stake(bench)
    assert now.price == Decimal("100.00")
    assert now.notional == Decimal("40.00")
    assert now.spread == Decimal("0.40")
    assert now.slippage == Decimal("0.10") * Decimal("0.2") + Decimal("1.00") * Decimal("0.1")
    received = (
        Decimal("99.00") * Decimal("0.1") + Decimal("98.90") * Decimal("0.2") + Decimal("98.00") * Decimal("0.1")
    )
    assert now.fee == received * Decimal("0.001")


def test_own_orders_in_the_book_are_no_liquidity_to_leave_by() -> None:
    bench = long_of(40)
    rests = next(
        record for record in bench.orders.values() if record.request.side is Side.BUY and not record.state.is_done
    )
    own, left = rests.request.ticks, rests.request.lots - 40
    with_book(bench, bids=((own, left), (9_800, 500)), asks=((10_200, 500),))
    now = stake(bench)
    assert now.price is not None and now.spread == (now.price - Decimal("98.00")) * Decimal("0.4")


def test_a_book_that_is_not_deep_enough_gives_no_price() -> None:
    bench = with_book(long_of(40), bids=((9_900, 39),), asks=((10_100, 500),))
    now = stake(bench)
    assert now.notional == Decimal("40.00")
    assert (now.spread, now.slippage, now.fee) == (None, None, None)


def test_the_worst_case_counts_what_may_still_fill() -> None:
    bench = Bench(instrument=TAKER)
    (bid, _ask) = sorted(bench.quoting(), key=lambda request: request.ticks)
    now = stake(bench)
    assert now.worst == TAKER.size(bid.lots) * Decimal("100.00")


def test_nothing_is_known_without_a_book_or_without_the_account() -> None:
    bench = long_of(40)
    bench.feed(BookLost(at_ns=bench.now_ns, leg=LEG, reason="gap"))
    assert stake(bench) == Stake()
    other = long_of(40)
    other.feed(LegDisconnected(at_ns=other.now_ns, leg=LEG, reason="closed"))
    assert stake(other) == Stake()


def test_the_age_is_the_books() -> None:
    bench = with_book(long_of(40), bids=((9_900, 500),), asks=((10_100, 500),))
    assert stake(bench, later_s=3).book_age_s == 3
