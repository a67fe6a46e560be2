"""Prices of a ladder: exact, on the tick, strictly outward, and never across the market."""

from __future__ import annotations

import itertools
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from engine.model.order import Side
from engine.strategies.ladder import UNIT, Ladder, LayerStep, SizeProfile, keep_passive, skew_of

steps = st.one_of(
    st.decimals("0", "100", places=2).map(lambda bps: LayerStep(bps=bps)),
    st.integers(0, 50).map(lambda ticks: LayerStep(ticks=ticks)),
    st.decimals("1", "3", places=2).map(lambda ratio: LayerStep(ratio=ratio)),
)
ladders = st.builds(Ladder, spread_bps=st.decimals("0.01", "500", places=2), layers=st.integers(1, 10), step=steps)


def test_a_20_bps_spread_stands_10_bps_on_either_side_of_the_mid() -> None:
    ladder = Ladder(spread_bps=Decimal(20), layers=3, step=LayerStep(bps=Decimal(5)))
    assert ladder.ticks(Side.BUY, 20_000) == [9_990, 9_985, 9_980]
    assert ladder.ticks(Side.SELL, 20_000) == [10_010, 10_015, 10_020]


def test_a_ratio_multiplies_each_layers_distance() -> None:
    ladder = Ladder(spread_bps=Decimal(20), layers=3, step=LayerStep(ratio=Decimal(2)))
    assert ladder.ticks(Side.SELL, 20_000) == [10_010, 10_020, 10_040]


def test_full_inventory_at_full_skew_moves_a_side_to_the_mid_and_no_further() -> None:
    """H13: elsewhere a skew of 0.5 quoted 50 instead of 100."""
    ladder = Ladder(spread_bps=Decimal(20), layers=1, step=LayerStep(ticks=1))
    assert ladder.ticks(Side.SELL, 20_000, skew=UNIT) == [10_000]
    assert ladder.ticks(Side.BUY, 20_000, skew=-UNIT) == [10_000]


def test_skew_is_bounded_by_full_inventory() -> None:
    assert skew_of(500, 0, 100, Decimal("0.5")) == UNIT // 2
    assert skew_of(-500, 0, 100, Decimal(1)) == -UNIT
    assert skew_of(500, 0, None, Decimal(1)) == 0


@given(ladders, st.integers(200, 10**9), st.integers(-UNIT, UNIT))
def test_prices_go_strictly_outward_and_never_cross_the_mid(ladder: Ladder, twice_mid: int, skew: int) -> None:
    bids, asks = (ladder.ticks(side, twice_mid, skew=skew) for side in (Side.BUY, Side.SELL))
    assert all(a > b for a, b in itertools.pairwise(bids))
    assert all(a < b for a, b in itertools.pairwise(asks))
    assert all(2 * bid <= twice_mid for bid in bids)
    assert all(2 * ask >= twice_mid for ask in asks)


@given(ladders, st.integers(200, 10**9))
def test_the_first_layer_is_the_exact_price_rounded_away_from_the_mid(ladder: Ladder, twice_mid: int) -> None:
    mid, half = Fraction(twice_mid, 2), Fraction(ladder.spread_bps) / 20_000
    bids, asks = ladder.ticks(Side.BUY, twice_mid), ladder.ticks(Side.SELL, twice_mid)
    assert not bids or bids[0] == (mid * (1 - half)).__floor__()
    assert asks[0] == (mid * (1 + half)).__ceil__()


@given(st.sampled_from(Side), st.integers(1, 100), st.integers(1, 100), st.integers(1, 20))
def test_a_passive_price_never_takes(side: Side, wanted: int, bid: int, spread: int) -> None:
    ticks = keep_passive(side, wanted, best_bid=bid, best_ask=bid + spread)
    assert ticks < bid + spread if side is Side.BUY else ticks > bid


def test_size_profiles() -> None:
    assert [SizeProfile.EQUAL.multiple(n) for n in range(3)] == [1, 1, 1]
    assert [SizeProfile.LINEAR.multiple(n) for n in range(3)] == [1, 2, 3]
    assert [SizeProfile.GEOMETRIC.multiple(n) for n in range(3)] == [1, 2, 4]
