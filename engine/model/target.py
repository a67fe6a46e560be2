"""What a strategy declares: the orders that should rest and the inventory that should be held."""

from __future__ import annotations

from decimal import Decimal

from engine.model.order import Side
from engine.model.value import Value


class Quote(Value, frozen=True, kw_only=True):
    """One order that should rest, keyed by slot (`bid.0`, `level.12.close`).

    `lots` is the remaining size wanted now. `refill_below` is the fraction of `lots` under which a partly
    filled order gets a child order for the missing size; None never refills.
    """

    slot: str
    side: Side
    ticks: int
    lots: int
    post_only: bool = True
    reduce_only: bool = False
    refill_below: Decimal | None = None


class InventoryTarget(Value, frozen=True, kw_only=True):
    """A position to hold, reached by taking: signed lots, at most `slippage_bps` through the far touch.

    `reduce_only`: together with what rests it never takes more out than there is, and a perp's venue is told so.
    """

    lots: int
    slippage_bps: Decimal
    reduce_only: bool = False


class Funds(Value, frozen=True, kw_only=True):
    """What a spot leg may spend on everything it has resting and under way, in units of each asset."""

    base: Decimal
    quote: Decimal


class LegTarget(Value, frozen=True, kw_only=True):
    """Everything one leg should look like; an empty one means nothing should rest."""

    quotes: tuple[Quote, ...] = ()
    inventory: InventoryTarget | None = None
    funds: Funds | None = None
    """None: the position limit is what bounds the leg."""
    reason: str = ""
    """Why the target is smaller than usual, for people: `book is stale`."""
    memo: str | None = None
    """What the strategy must be shown again, also after a restart, and cannot tell from fills; None: as before."""


Target = dict[str, LegTarget]
"""Leg name to target; a leg that is absent is left exactly as it is."""
