"""The fast path from text to ticks and back, against Decimal and fractions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.exchanges.decimals import Grid, OffGrid, exact
from engine.model.instrument import Instrument, MarketKind, plain

steps = st.builds(lambda n, e: Decimal(n).scaleb(e), st.integers(1, 10**6), st.integers(-18, 6))
numbers = st.builds(lambda n, e: Decimal(n).scaleb(e), st.integers(-(10**20), 10**20), st.integers(-18, 6))


def market(step: Decimal) -> Instrument:
    return Instrument(
        venue="x",
        symbol="x",
        kind=MarketKind.PERP,
        base="x",
        quote="x",
        tick_size=step,
        lot_size=step,
        min_size=step,
    )


@given(step=steps, units=st.integers(-(10**15), 10**15), zeros=st.integers(0, 4))
def test_every_multiple_is_read_back_exactly_however_it_is_padded(step: Decimal, units: int, zeros: int) -> None:
    text = format(step * units, "f")
    padded = text + "0" * zeros if "." in text else text
    assert Grid(step).units(padded) == units
    assert Grid(step).units(str(step * units)) == units


@given(step=steps, number=numbers)
@example(step=Decimal("0.01"), number=Decimal("0.009"))
@example(step=Decimal("3"), number=Decimal("10000000000000000000000000000000000000001"))
def test_a_number_is_read_exactly_or_refused(step: Decimal, number: Decimal) -> None:
    expected = Fraction(number) / Fraction(step)
    if expected.denominator == 1:
        assert Grid(step).units(str(number)) == expected
    else:
        with pytest.raises(OffGrid):
            Grid(step).units(str(number))


@given(step=steps, text=st.text(alphabet="0123456789.eE+-_ ١NanInf", max_size=12) | st.text(max_size=8))
@example(step=Decimal("0.01"), text="1. 5")
@example(step=Decimal("0.01"), text=" 1.5 ")
@example(step=Decimal("0.01"), text="1.5 ")
@example(step=Decimal("1"), text="1_000")
@example(step=Decimal("0.01"), text="--1.5")
@example(step=Decimal("0.01"), text=".")
@example(step=Decimal("0.01"), text="")
def test_a_text_is_what_decimal_says_it_is_or_a_value_error(step: Decimal, text: str) -> None:
    try:
        expected = Fraction(Decimal(text)) / Fraction(step)
    except (ArithmeticError, ValueError):
        expected = Fraction(1, 2)
    try:
        units = Grid(step).units(text)
    except ValueError:
        assert expected.denominator != 1 or abs(Decimal(text).adjusted()) > 30
    else:
        assert units == expected


@given(step=steps, units=st.integers(-(10**15), 10**15))
def test_text_is_what_the_instrument_writes(step: Decimal, units: int) -> None:
    text = Grid(step).text(units)
    assert text == plain(Decimal(units) * step) or units == 0
    assert Grid(step).units(text) == units
    if units > 0:
        assert text == market(step).price_text(units)


@pytest.mark.parametrize("step", ["0", "-0.01", "NaN", "Infinity"])
def test_a_step_must_be_above_zero(step: str) -> None:
    with pytest.raises(ValueError, match="no step"):
        Grid(Decimal(step))


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e999999999", "1e-999999999", "9" * 5000, "", "1,5", "0x10"])
def test_a_number_of_no_ordinary_size_is_refused_at_once(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        exact(text)


@pytest.mark.parametrize("text", ["0", "-0.009218", "13.634885278944", "1E-7", "0E-18"])
def test_an_ordinary_number_is_kept_exactly(text: str) -> None:
    assert exact(text) == Decimal(text)
