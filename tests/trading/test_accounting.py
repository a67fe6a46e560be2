"""Profit is FIFO and exact, and the books balance whatever the fills are."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.model.order import OrderRequest, Side
from engine.trading.accounting import Accounting
from engine.trading.equity import POINTS_KEPT, EquityCurve
from tests.trading.desk_bench import LEG, PERP, fill_of


def booked(*fills: tuple[Side, int, int], fee_asset: str = "USDC") -> Accounting:
    books = Accounting(PERP)
    for n, (side, ticks, lots) in enumerate(fills):
        request = OrderRequest(leg=LEG, client_id=n + 1, slot="s", side=side, ticks=ticks, lots=lots)
        books.add("s", msgspec.structs.replace(fill_of(request, lots, f"t{n}"), fee_asset=fee_asset))
    return books


def test_buy_100_buy_90_sell_95_realises_minus_5() -> None:
    """H54: first in, first out."""
    books = booked((Side.BUY, 10_000, 100), (Side.BUY, 9_000, 100), (Side.SELL, 9_500, 100))
    assert books.realised_pnl == Decimal("-5.0000")
    assert books.unrealised_pnl(2 * 9_500) == Decimal("5.0000")


def test_a_sale_beyond_what_is_held_closes_and_opens_short() -> None:
    books = booked((Side.BUY, 10_000, 100), (Side.SELL, 10_100, 300))
    assert (books.realised_pnl, books.position_lots) == (Decimal("1.0000"), -200)
    assert books.unrealised_pnl(2 * 10_000) == Decimal("2.0000")


def test_a_fee_in_base_leaves_the_base() -> None:
    books = booked((Side.BUY, 10_000, 100), fee_asset="SOL")
    assert books.base_change == Decimal("0.99")
    assert books.quote_change == Decimal("-100.0000")


def test_a_rebate_is_a_negative_fee_and_counted_apart() -> None:
    books, request = (
        Accounting(PERP),
        OrderRequest(leg=LEG, client_id=1, slot="s", side=Side.BUY, ticks=100, lots=2),
    )
    for n, fee in enumerate(("0.03", "-0.01", "-0.005")):
        books.add("s", msgspec.structs.replace(fill_of(request, 1, f"t{n}"), fee=Decimal(fee), fee_asset="USDC"))
    assert (books.fees, books.rebates) == ({"USDC": Decimal("0.015")}, {"USDC": Decimal("0.015")})


def test_the_peak_drawdown_is_the_deepest_fall_from_an_earlier_high() -> None:
    books = booked(
        (Side.BUY, 10_000, 100),
        (Side.SELL, 11_000, 100),  # 10 made
        (Side.BUY, 11_000, 100),
        (Side.SELL, 9_500, 100),  # 15 lost
        (Side.BUY, 9_500, 100),
        (Side.SELL, 10_000, 100),  # 5 made
    )
    paid = books.fees.get("USDC", Decimal(0)) / 6
    assert [profit + paid * (n + 1) for n, (_, profit) in enumerate(books.equity.points)] == [0, 10, 10, -5, -5, 0]
    assert books.equity.peak_drawdown == 15 + 3 * paid


def test_a_long_equity_curve_thins_out_evenly_and_forgets_no_fall() -> None:
    curve = EquityCurve()
    for n in range(10_000):
        curve.add(n, Decimal(-500 if n == 777 else n))
    steps = {later - earlier for (earlier, _), (later, _) in pairwise(curve.points)}
    assert len(curve.points) <= POINTS_KEPT and len(steps) == 1 and curve.points[0][0] == 0
    assert curve.peak_drawdown == 776 + 500


@given(
    st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 50), st.integers(1, 20)), max_size=40),
    st.integers(2, 100),
)
def test_realised_plus_unrealised_is_cash_plus_inventory_at_the_mark(
    fills: list[tuple[Side, int, int]], twice_mark: int
) -> None:
    books = booked(*fills)
    inventory = books.position_lots * twice_mark * PERP.tick_size * PERP.lot_size / 2
    fees = books.fees.get("USDC", Decimal(0))
    assert books.realised_pnl + books.unrealised_pnl(twice_mark) == books.quote_change + fees + inventory
    assert books.position_lots == sum(lots * side.sign for side, _, lots in fills)


def counted(*fills: tuple[str, int]) -> dict[str, int]:
    """What each slot has executed after these fills."""
    books = Accounting(PERP)
    for n, (slot, lots) in enumerate(fills):
        request = OrderRequest(leg=LEG, client_id=n + 1, slot=slot, side=Side.BUY, ticks=100, lots=lots)
        books.add(slot, fill_of(request, lots, f"t{n}"))
    return dict(books.executed_lots)


def test_children_count_for_their_slot() -> None:
    assert counted(("bid.0", 3), ("bid.0+2", 4), ("bid.1", 5)) == {"bid.0": 7, "bid.1": 5}


def test_what_slots_executed_is_forgotten_when_the_position_is_flattened_or_liquidated() -> None:
    assert counted(("bid.0", 3), ("inventory", 3), ("bid.0", 1)) == {"bid.0": 1}
    assert counted(("bid.0", 3), ("system", 2)) == {}
