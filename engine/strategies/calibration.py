"""What a market's order flow is worth to a maker, from what was seen of it: for `botctl calibrate`. Statistics.

The papers assume that an order at a distance d from the mid is filled A·exp(-k·d) times a second. So time is cut
into intervals, in each of which a quote would stand where it was put; how far trades reach from the mid at its
beginning says at which distances that quote would have been filled. From the share of intervals that reach d
follows the rate at d, and a line through the rates' logarithms gives A and k. Time in which the book was not known
is left out, with the interval and the return that end in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.clock import NS_PER_S
from engine.errors import BotctlError
from engine.model.value import Value
from engine.strategies.pricing.avellaneda_stoikov import Taste

SHORTEST_S = 60
LONGEST_GAP_S = 600
"""In a longer one a market is not quiet: it was not recorded."""
FEWEST_REACHES = 30
"""From fewer intervals with a trade the line would be a guess."""
POINTS = 20
COMMON, RARE = 0.9, 0.02
"""The line goes through distances that at most and at least this share of the intervals reach."""
FEWEST_POINTS = 3
_BPS = 10_000


class Calibration(Value, frozen=True, kw_only=True):
    """The parameters in the units that bots take, and how straight the line was (1 is perfectly)."""

    seconds: float
    trades: int
    volatility_bps: float
    """Per square root of a second."""
    order_book_liquidity: float
    """Per bps."""
    arrival_rate: float
    """Per second."""
    fit: float

    def spread_bps(self, risk_aversion: float) -> float:
        """What both models quote without inventory risk."""
        return 2 * Taste(risk_aversion=risk_aversion, liquidity=self.order_book_liquidity).edge


class Calibrator:
    """Is told of mids and trades in their order; keeps two numbers for each interval."""

    def __init__(self, interval_s: float) -> None:
        self._interval_ns = round(interval_s * NS_PER_S)
        self._began_ns: int | None = None
        """The beginning of what was seen without a gap."""
        self._last_ns = 0
        self._before_gaps_ns = 0
        self._mid = 0.0
        self._second = 0
        self._second_mid = 0.0
        self._returns = 0
        self._squares = 0.0
        self._interval = 0
        self._start_mid = 0.0
        self._reach = [0.0, 0.0]
        self._reaches: list[float] = []
        self._trades = 0

    def saw_mid(self, mid: float, at_ns: int) -> None:
        self._pass(at_ns)
        if not self._mid:
            self._start_mid = mid
        self._mid = mid

    def saw_trade(self, price: float, at_ns: int, *, bought: bool) -> None:
        """`bought`: the taker did. Trades before the first mid say nothing."""
        if not self._mid:
            return
        self._pass(at_ns)
        self._trades += 1
        away = (price / self._start_mid - 1) * _BPS * (1 if bought else -1)
        self._reach[bought] = max(self._reach[bought], away)

    def saw_gap(self) -> None:
        """Until the next mid nothing is known."""
        if self._began_ns is not None:
            self._before_gaps_ns += self._last_ns - self._began_ns
        self._began_ns = None
        self._second = self._interval = 0
        self._mid = self._second_mid = 0.0
        self._reach = [0.0, 0.0]

    def calibration(self) -> Calibration:
        """The parameters; BotctlError when too little was seen."""
        seen_ns = 0 if self._began_ns is None else self._last_ns - self._began_ns
        seconds = (self._before_gaps_ns + seen_ns) / NS_PER_S
        if seconds < SHORTEST_S or not self._returns:
            raise _too_little(f"it is {seconds:.0f} s long, and {SHORTEST_S} s are the least")
        rates = _rates(self._reaches, self._interval_ns / NS_PER_S)
        if len(rates) < FEWEST_POINTS:
            raise _too_little(f"its {self._trades} trades reach too few distances from the mid")
        intercept, slope, fit = _line(rates)
        if slope >= 0:
            raise _too_little("its trades do not thin out away from the mid")
        return Calibration(
            seconds=seconds,
            trades=self._trades,
            volatility_bps=math.sqrt(self._squares / self._returns) * _BPS,
            order_book_liquidity=-slope,
            arrival_rate=math.exp(intercept),
            fit=fit,
        )

    def _pass(self, at_ns: int) -> None:
        """Close every interval and second that is over."""
        if self._began_ns is None:
            self._began_ns = self._last_ns = at_ns
        if at_ns - self._last_ns > LONGEST_GAP_S * NS_PER_S:
            raise _too_little(f"it has a gap of {(at_ns - self._last_ns) / NS_PER_S:.0f} s")
        self._last_ns = max(self._last_ns, at_ns)
        elapsed_ns = self._last_ns - self._began_ns
        self._pass_seconds(elapsed_ns // NS_PER_S)
        while self._interval < elapsed_ns // self._interval_ns:
            self._interval += 1
            self._reaches += self._reach
            self._reach, self._start_mid = [0.0, 0.0], self._mid

    def _pass_seconds(self, second: int) -> None:
        """The first of the seconds that are over has all of their movement."""
        over = second - self._second
        if over <= 0:
            return
        if self._second_mid:
            self._squares += (self._mid / self._second_mid - 1) ** 2
            self._returns += over
        else:
            self._returns += over - 1
        self._second, self._second_mid = second, self._mid


def _rates(reaches: Sequence[float], interval_s: float) -> list[tuple[float, float, float]]:
    """Distance, logarithm of the fill rate there, and its weight, between the common and the rare distances."""
    ordered = sorted((reach for reach in reaches if reach > 0), reverse=True)
    if len(ordered) < FEWEST_REACHES:
        return []
    count = len(reaches)
    nearest = ordered[min(len(ordered), int(COMMON * count)) - 1]
    farthest = ordered[min(len(ordered), max(FEWEST_REACHES, int(RARE * count))) - 1]
    rates = []
    for n in range(POINTS):
        distance = nearest + (farthest - nearest) * n / (POINTS - 1)
        share = sum(reach >= distance for reach in ordered) / count
        hazard = -math.log1p(-min(share, COMMON))
        rates.append((distance, math.log(hazard / interval_s), count * (1 - share) * hazard**2 / share))
    return rates if farthest > nearest else []


def _line(points: Sequence[tuple[float, float, float]]) -> tuple[float, float, float]:
    """Intercept, slope and the share of variance explained, by weighted least squares."""
    total = sum(weight for _, _, weight in points)
    x = sum(distance * weight for distance, _, weight in points) / total
    y = sum(rate * weight for _, rate, weight in points) / total
    xx = sum(weight * (distance - x) ** 2 for distance, _, weight in points)
    xy = sum(weight * (distance - x) * (rate - y) for distance, rate, weight in points)
    yy = sum(weight * (rate - y) ** 2 for _, rate, weight in points)
    slope = xy / xx
    return y - slope * x, slope, slope * xy / yy if yy else 0.0


def _too_little(why: str) -> BotctlError:
    return BotctlError(
        f"the recording says too little: {why}",
        hint="record the market for longer, an hour or more, or try a longer --interval-s",
    )
