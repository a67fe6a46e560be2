"""Values to begin with, for whoever writes a bot for a market he does not know yet: a beginning, not advice.

Sizes are worth about a hundred of the quote, far above the smallest order, and limits are ten of them; spread and
layers are those of `analysis` where the market was seen moving. Statistics are floats, what is written is decimal.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from engine.model.instrument import Instrument, plain
from engine.model.value import Value
from engine.strategies.analysis import Analysis

ORDER_WORTH = Decimal(100)
ORDERS_HELD = 10
"""A position or a capital of so many orders."""
SPREAD_BPS = 20
LAYERS = 2
BPS = Decimal(10_000)
RANGE_PCT = 2
"""Half of a grid's range: its far levels stay within the default price band."""
MOST_LEVELS = 21
FEES_EARNED = 3
"""A grid's spacing in round trips' fees."""
LEAST_SPACING_BPS = Decimal(10)
UNHEDGED_ORDERS = 3

Suggestions = dict[str, str]
"""YAML values by dotted path, the one that matters most first."""


class Seen(Value, frozen=True, kw_only=True):
    """What is known of the market: its facts, where it is, and how it moves, where somebody looked."""

    instrument: Instrument
    mid: Decimal
    analysis: Analysis | None = None

    @property
    def order_size(self) -> Decimal:
        """On the lot, and at least what the venue takes; a fifth more, so that a fall of the price does not undo
        it."""
        least = self.instrument.size(self.instrument.min_lots(self.instrument.ticks_below(self.mid * 5 / 6)))
        return max(least, self.instrument.size(self.instrument.lots_within(ORDER_WORTH / self.mid)))


def suggestions(kind: str, seen: Seen) -> Suggestions:
    """The few settings that matter for a strategy; none for one that is not known here."""
    suggest = _BY_KIND.get(kind)
    return suggest(seen) if suggest else {}


def _market_maker(seen: Seen) -> Suggestions:
    held = seen.order_size * ORDERS_HELD
    capital = {"base": plain(held), "quote": plain(Decimal(int(held * seen.mid) + 1))}
    return {**_layers(seen), **{f"strategy.capital.{side}": amount for side, amount in capital.items()}}


def _perp_market_maker(seen: Seen) -> Suggestions:
    return {**_layers(seen), "risk.max_position": plain(seen.order_size * ORDERS_HELD)}


def _layers(seen: Seen) -> Suggestions:
    analysis = seen.analysis
    spread = analysis.suggested_spread_bps if analysis else None
    layers = analysis.suggested_layers if analysis else None
    return {
        "strategy.spread_bps": plain(Decimal(str(round(spread, 1) or 0.1))) if spread else str(SPREAD_BPS),
        "strategy.order_size": plain(seen.order_size),
        "strategy.layers": str(layers or LAYERS),
    }


def _grid(seen: Seen) -> Suggestions:
    return {
        "strategy.auto_range_pct": str(RANGE_PCT),
        "strategy.levels": str(_levels(seen)),
        "strategy.order_size": plain(seen.order_size),
    }


def _perp_grid(seen: Seen) -> Suggestions:
    return {**_grid(seen), "risk.max_position": plain(seen.order_size * _levels(seen))}


def _levels(seen: Seen) -> int:
    """As many as leave the fees of a round trip well earned."""
    spacing = max(LEAST_SPACING_BPS, FEES_EARNED * 2 * seen.instrument.maker_fee * BPS)
    return min(MOST_LEVELS, max(3, int(2 * RANGE_PCT * 100 / spacing) + 1))


def _maker_taker_hedge(seen: Seen) -> Suggestions:
    return {
        "strategy.order_size": plain(seen.order_size),
        "strategy.max_unhedged": plain(seen.order_size * UNHEDGED_ORDERS),
        "risk.max_position": plain(seen.order_size * ORDERS_HELD),
    }


_BY_KIND: dict[str, Callable[[Seen], Suggestions]] = {
    "market_maker": _market_maker,
    "perp_market_maker": _perp_market_maker,
    "grid": _grid,
    "perp_grid": _perp_grid,
    "maker_taker_hedge": _maker_taker_hedge,
}
