"""How a leg's profit went up and down: a bounded curve and the deepest fall, replayed like all books.

A point is the profit after fees and funding just after an own fill or a payment, marked at the last fill's price:
nothing else is known for certain of a past moment, so a restart finds the very same curve.
"""

from __future__ import annotations

from decimal import Decimal

POINTS_KEPT = 128


class EquityCurve:
    """The fall is exact over all points; the curve thins out evenly when it is full."""

    def __init__(self) -> None:
        self.points: list[tuple[int, Decimal]] = []
        """(at_ns, profit in quote), every `_stride`-th point from the first on."""
        self.last = self.low = Decimal(0)
        """The newest profit, and the lowest; nothing made is the first of both."""
        self.peak = Decimal(0)
        self.peak_drawdown = Decimal(0)
        """The most that profit ever fell below an earlier high, in quote; nothing made is the first high."""
        self._stride = 1
        self._seen = 0

    def add(self, at_ns: int, profit: Decimal) -> None:
        """The profit after one more fill or payment."""
        self.last, self.low = profit, min(self.low, profit)
        self.peak = max(self.peak, profit)
        self.peak_drawdown = max(self.peak_drawdown, self.peak - profit)
        if self._seen % self._stride == 0:
            self.points.append((at_ns, profit))
        self._seen += 1
        if len(self.points) > POINTS_KEPT:
            del self.points[1::2]
            self._stride *= 2
