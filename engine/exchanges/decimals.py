"""Decimal text to whole ticks or lots and back, exactly and without going through Decimal.

Codecs call it for every price and size of every book level, which is what makes a second path beside
`Instrument` worth having; tests hold the two against each other for all inputs.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

MAX_EXPONENT = 40
"""No venue's number has more digits on either side of the point; `1e999999999` is an attack, not a price."""


class OffGrid(ValueError):
    """A number that lies between two steps."""


class Grid:
    """The multiples of a step: prices on a tick size, sizes on a lot size."""

    __slots__ = ("_multiple", "_places", "_step", "_zeros")

    def __init__(self, step: Decimal) -> None:
        sign, digits, exponent = step.normalize().as_tuple()
        if not isinstance(exponent, int) or sign or not any(digits):
            raise ValueError(f"{step} is no step: it must be above zero")
        self._step = step
        self._places = max(-exponent, 0)
        self._multiple = int(step.scaleb(self._places))
        self._zeros = "0" * self._places

    def units(self, text: str) -> int:
        """How many steps a decimal text is; ValueError when it is no number or not on the grid."""
        whole, _, fraction = text.partition(".")
        if len(fraction) > self._places:
            fraction = fraction.rstrip("0")
        digits = whole + fraction
        if len(fraction) > self._places or not digits.isdecimal():
            return self._units_of_unusual(text)
        number = int(digits + self._zeros[len(fraction) :])
        if self._multiple == 1:
            return number
        count, rest = divmod(number, self._multiple)
        if rest:
            raise OffGrid(f"{text} is not a multiple of {self._step:f}")
        return count

    def text(self, units: int) -> str:
        """So many steps as a plain decimal: no exponent, no zeros at the end of a fraction."""
        number = units * self._multiple
        if not self._places:
            return str(number)
        sign = "-" if number < 0 else ""
        digits = str(abs(number)).rjust(self._places + 1, "0")
        whole, fraction = digits[: -self._places], digits[-self._places :].rstrip("0")
        return f"{sign}{whole}.{fraction}" if fraction else sign + whole

    def _units_of_unusual(self, text: str) -> int:
        """Signs, exponents and more digits than the step has: rare on the wire, so exactness is all."""
        above, below = exact(text).as_integer_ratio()
        step_above, step_below = self._step.as_integer_ratio()
        count, rest = divmod(above * step_below, below * step_above)
        if rest:
            raise OffGrid(f"{text} is not a multiple of {self._step:f}")
        return count


def exact(text: str) -> Decimal:
    """A decimal text as a number of ordinary size; ValueError for anything else."""
    if len(text) > 2 * MAX_EXPONENT:
        raise ValueError("a number of more digits than money has")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a decimal number") from None
    if not number.is_finite() or (number and abs(number.adjusted()) > MAX_EXPONENT):
        raise ValueError(f"{text} is not a number of ordinary size")
    return number
