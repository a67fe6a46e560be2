"""Budgets that several bots share: what one bot has of them, and what it may have."""

from __future__ import annotations

from decimal import Decimal

from engine.model.value import Value


class Claim(Value, frozen=True, kw_only=True):
    """A bot's exposure at its worst, in quote: everything that may still fill counted as filled.

    `long_usd` and `short_usd` are how far it would be in for each direction (a long bot's `short_usd` is negative
    while its open sales are less than its position), `gross_usd` the larger of both, summed over its legs.
    """

    long_usd: Decimal = Decimal(0)
    short_usd: Decimal = Decimal(0)
    gross_usd: Decimal = Decimal(0)


class Share(Value, frozen=True, kw_only=True):
    """What a bot may have of one budget until it hears otherwise: nobody else may have it meanwhile. None means no
    limit.

    `others_day_pnl_usd` is what all the other bots made today, by their last words; `claimed` is what all together
    have claimed, this one included.
    """

    long_usd: Decimal | None
    short_usd: Decimal | None
    gross_usd: Decimal | None
    others_day_pnl_usd: Decimal
    claimed: Claim = Claim()
