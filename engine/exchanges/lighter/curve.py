"""ECgFp5: y^2 = x(x^2 + 2x + 263z) over GF(p^5), a group of prime order. Points, their encoding, fast multiples.

A point is (X, Z, U, T) with x = X/Z and x/y = U/T, so that one addition formula serves every pair of points.
Its encoding is the single element w = y/x.
"""

from __future__ import annotations

from functools import cache

from engine.exchanges.lighter.field import (
    ONE,
    TWO,
    ZERO,
    Element,
    P,
    add,
    inverse,
    is_square,
    mul,
    scale,
    square_root,
    sub,
)

ORDER = 1067993516717146951041484916571792702745057740581727230159139685185762082554198619328292418486241

Point = tuple[Element, Element, Element, Element]

NEUTRAL: Point = (ZERO, ONE, ZERO, ONE)
GENERATOR: Point = (
    (12883135586176881569, 4356519642755055268, 5248930565894896907, 2165973894480315022, 2448410071095648785),
    ONE,
    ONE,
    (4, 0, 0, 0, 0),
)

_B = 263
_FOUR_B: Element = (0, 4 * _B, 0, 0, 0)
_HALF = (P + 1) // 2
_GENERATOR_WINDOW_BITS = 6
KEY_WINDOW_BITS = 4


def plus(one: Point, other: Point) -> Point:
    """The sum of any two points, equal ones included."""
    (x1, z1, u1, t1), (x2, z2, u2, t2) = one, other
    xx, zz, uu, tt = mul(x1, x2), mul(z1, z2), mul(u1, u2), mul(t1, t2)
    xz = sub(sub(mul(add(x1, z1), add(x2, z2)), xx), zz)
    ut = sub(sub(mul(add(u1, t1), add(u2, t2)), uu), tt)
    bzz = _times_b(zz)
    common = add(xx, bzz)
    left = mul(tt, common)
    right = mul(uu, scale(add(_times_b(xz), common), 2))
    both = mul(add(tt, scale(uu, 2)), add(xz, common))
    return _times_b(sub(both, left)), sub(left, right), mul(ut, sub(bzz, xx)), add(left, right)


def encode(point: Point) -> Element:
    """w = T/U; zero for the neutral point."""
    _, _, u, t = point
    return mul(t, inverse(u))


def decode(w: Element) -> Point | None:
    """The point of an encoding; None when it is nobody's."""
    if w == ZERO:
        return NEUTRAL
    e = sub(mul(w, w), TWO)
    root = square_root(sub(mul(e, e), _FOUR_B))
    if root is None:
        return None
    x = scale(add(e, root), _HALF)
    if is_square(x):
        x = scale(sub(e, root), _HALF)
    return x, ONE, ONE, w


def times(point: Point, scalar: int) -> Point:
    """A multiple without a table: for keys that are used once."""
    result = NEUTRAL
    for bit in bin(scalar)[2:]:
        result = plus(result, result)
        if bit == "1":
            result = plus(result, point)
    return result


class Multiples:
    """All multiples of one point, window by window: a product is then one addition per window."""

    def __init__(self, point: Point, window_bits: int) -> None:
        self._bits = window_bits
        self._windows: list[list[Point]] = []
        for _ in range(-(-ORDER.bit_length() // window_bits)):
            row = [NEUTRAL]
            for _ in range((1 << window_bits) - 1):
                row.append(plus(row[-1], point))
            self._windows.append(row)
            point = plus(row[-1], point)

    def times(self, scalar: int) -> Point:
        result, mask = NEUTRAL, (1 << self._bits) - 1
        for row in self._windows:
            if digit := scalar & mask:
                result = plus(result, row[digit])
            scalar >>= self._bits
        return result


@cache
def generator() -> Multiples:
    """Made when first needed, because it takes a third of a second and a client with a native signer never asks."""
    return Multiples(GENERATOR, _GENERATOR_WINDOW_BITS)


def _times_b(a: Element) -> Element:
    """Times 263z."""
    a0, a1, a2, a3, a4 = a
    return 3 * _B * a4 % P, _B * a0 % P, _B * a1 % P, _B * a2 % P, _B * a3 % P
