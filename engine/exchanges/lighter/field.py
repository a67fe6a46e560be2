"""GF(p) and GF(p^5): the numbers under Lighter's hash and curve. Plain integers and 5-tuples of them.

p = 2^64 - 2^32 + 1; an element of GF(p^5) is a polynomial in z with z^5 = 3, lowest coefficient first.
"""

from __future__ import annotations

P = 2**64 - 2**32 + 1

Element = tuple[int, int, int, int, int]
"""Coefficients below P."""

ZERO: Element = (0, 0, 0, 0, 0)
ONE: Element = (1, 0, 0, 0, 0)
TWO: Element = (2, 0, 0, 0, 0)

_TWO_ADICITY = 32
_NON_RESIDUE = 7
_FROBENIUS = tuple(pow(3, (P - 1) // 5 * power, P) for power in range(5))
"""Raising to the power p multiplies the coefficient of z^i by this."""


def add(a: Element, b: Element) -> Element:
    a0, a1, a2, a3, a4 = a
    b0, b1, b2, b3, b4 = b
    return (a0 + b0) % P, (a1 + b1) % P, (a2 + b2) % P, (a3 + b3) % P, (a4 + b4) % P


def sub(a: Element, b: Element) -> Element:
    a0, a1, a2, a3, a4 = a
    b0, b1, b2, b3, b4 = b
    return (a0 - b0) % P, (a1 - b1) % P, (a2 - b2) % P, (a3 - b3) % P, (a4 - b4) % P


def mul(a: Element, b: Element) -> Element:
    a0, a1, a2, a3, a4 = a
    b0, b1, b2, b3, b4 = b
    return (
        (a0 * b0 + 3 * (a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1)) % P,
        (a0 * b1 + a1 * b0 + 3 * (a2 * b4 + a3 * b3 + a4 * b2)) % P,
        (a0 * b2 + a1 * b1 + a2 * b0 + 3 * (a3 * b4 + a4 * b3)) % P,
        (a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + 3 * a4 * b4) % P,
        (a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0) % P,
    )


def scale(a: Element, number: int) -> Element:
    """An element times a base-field number."""
    a0, a1, a2, a3, a4 = a
    return a0 * number % P, a1 * number % P, a2 * number % P, a3 * number % P, a4 * number % P


def inverse(a: Element) -> Element:
    """1 / a; zero for zero."""
    others = _other_conjugates(a)
    return scale(others, pow(mul(a, others)[0], P - 2, P))


def is_square(a: Element) -> bool:
    """True for zero too."""
    norm = mul(a, _other_conjugates(a))[0]
    return pow(norm, (P - 1) // 2, P) != P - 1


def square_root(a: Element) -> Element | None:
    """One of the two roots; None when there is none."""
    half = _power(a, (P + 1) // 2)
    e = _frobenius(mul(half, _frobenius(half, 2)))
    root = _base_square_root(mul(a, mul(e, e))[0])
    return None if root is None else scale(inverse(e), root)


def _frobenius(a: Element, times: int = 1) -> Element:
    a0, a1, a2, a3, a4 = (x * pow(factor, times, P) % P for x, factor in zip(a, _FROBENIUS, strict=True))
    return a0, a1, a2, a3, a4


def _other_conjugates(a: Element) -> Element:
    """a^(p + p^2 + p^3 + p^4): times a it is the norm, a base-field number."""
    first = mul(_frobenius(a), _frobenius(a, 2))
    return mul(first, _frobenius(first, 2))


def _power(a: Element, exponent: int) -> Element:
    result = ONE
    for bit in bin(exponent)[2:]:
        result = mul(result, result)
        if bit == "1":
            result = mul(result, a)
    return result


def _base_square_root(number: int) -> int | None:
    """Tonelli and Shanks in GF(p)."""
    if number == 0:
        return 0
    if pow(number, (P - 1) // 2, P) != 1:
        return None
    odd = (P - 1) >> _TWO_ADICITY
    order, generator = _TWO_ADICITY, pow(_NON_RESIDUE, odd, P)
    left, root = pow(number, odd, P), pow(number, (odd + 1) // 2, P)
    while left != 1:
        squarings, power = 0, left
        while power != 1:
            power, squarings = power * power % P, squarings + 1
        factor = pow(generator, 1 << (order - squarings - 1), P)
        order, generator = squarings, factor * factor % P
        left, root = left * generator % P, root * factor % P
    return root
