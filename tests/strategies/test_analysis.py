"""What `botctl market analyse` reads from a book and from candles."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.model.instrument import Instrument, MarketKind
from engine.strategies.analysis import analyse, imbalance, volatility_bps

SOL = Instrument(
    venue="toy",
    symbol="SOL_USDC",
    kind=MarketKind.SPOT,
    base="SOL",
    quote="USDC",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.1"),
    min_size=Decimal("0.1"),
    maker_fee=Decimal("0.0002"),
)
BIDS, ASKS = ((9_990, 30), (9_980, 10)), ((10_010, 10), (10_020, 10))
WAVY = [Decimal(100) + Decimal(number % 2) / 10 for number in range(30)]


def test_an_empty_side_cannot_be_analysed() -> None:
    assert analyse(SOL, (), ASKS, WAVY) is None
    assert analyse(SOL, BIDS, (), WAVY) is None


def test_spread_and_imbalance_come_from_the_book() -> None:
    found = analyse(SOL, BIDS, ASKS, WAVY)
    assert found is not None
    assert (found.mid, found.spread_bps) == (Decimal(100), 20.0)
    assert found.imbalance == pytest.approx(20 / 60, abs=0.001)
    assert imbalance(ASKS, ASKS) == 0


def test_from_too_few_closes_nothing_is_suggested_and_nothing_is_zero() -> None:
    found = analyse(SOL, BIDS, ASKS, WAVY[:5])
    assert found is not None
    assert found.volatility_bps_per_minute is None and found.suggested_spread_bps is None
    assert found.suggested_layers is None


def test_the_suggested_spread_covers_both_fees_and_a_minutes_move() -> None:
    found = analyse(SOL, BIDS, ASKS, WAVY)
    assert found is not None and found.volatility_bps_per_minute is not None
    assert found.suggested_spread_bps == pytest.approx(found.volatility_bps_per_minute + 4, abs=0.01)
    assert found.suggested_layers is not None and 1 <= found.suggested_layers <= 5


def test_a_still_market_has_no_volatility_and_a_steady_one_hardly_any() -> None:
    assert volatility_bps([Decimal(100)] * 20) == 0
    assert volatility_bps([Decimal(100)] * 10) is None
    steady = volatility_bps([Decimal(100) * Decimal("1.001") ** number for number in range(20)])
    assert steady == pytest.approx(0, abs=1e-6)
