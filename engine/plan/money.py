"""What a plan means for money, as values: leg by leg, and all bots together.

Everything is in quote unless it says otherwise. None is unknown, never zero (law 9); a sum of which some parts are
unknown says of how many.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum

from engine.model.account import BudgetUse
from engine.model.value import Value


class PositionEffect(StrEnum):
    UNTOUCHED = "untouched"
    KEPT = "kept"
    REDUCED = "reduced"
    FLATTENED = "flattened"
    DROPPED = "dropped"
    """Its simulated world ends."""

    @property
    def takes_out(self) -> bool:
        """Whether the position leaves the market, and that costs."""
        return self in (PositionEffect.REDUCED, PositionEffect.FLATTENED)


class FlattenCost(Value, frozen=True, kw_only=True):
    """What it would cost to take a position out of the book as it stands, without our own orders in it."""

    spread: Decimal
    """From the mid to the best price."""
    slippage: Decimal
    """From the best price to the average one."""
    fee: Decimal

    @property
    def total(self) -> Decimal:
        return self.spread + self.slippage + self.fee


class LegMoney(Value, frozen=True, kw_only=True):
    """One leg's stake, before the plan and after it. `notional` is signed, long is positive; `worst` is what the
    position may be worth when every open order fills, later when the bot uses all that its limits allow."""

    market: str
    account: str = ""
    orders_cancelled: int | None = None
    orders_kept: int | None = None
    position: str | None = None
    notional: Decimal | None = None
    notional_after: Decimal | None = None
    flatten_cost: FlattenCost | None = None
    worst: Decimal | None = None
    worst_after: Decimal | None = None
    margin_used: Decimal | None = None
    margin_free: Decimal | None = None
    margin_age_s: Decimal | None = None
    budget: dict[str, BudgetUse] = {}
    """What the venue counts of the account, over all its users on this host."""
    age_s: Decimal | None = None
    """How old the book is that all of this is reckoned with."""
    dropped: bool = False
    """The simulated world of this leg ends."""

    @property
    def fullest(self) -> tuple[str, int] | None:
        """The count of the venue that is nearest to its limit, and how much of that is used, in percent."""
        shares = {
            name: 100 * use.used_per_minute // max(1, use.limit_per_minute) for name, use in self.budget.items()
        }
        return max(shares.items(), key=lambda share: share[1]) if shares else None


class Money(Value, frozen=True, kw_only=True):
    """What an action does to orders and position, leg by leg."""

    position: PositionEffect = PositionEffect.UNTOUCHED
    legs: dict[str, LegMoney] = {}

    @property
    def orders_cancelled(self) -> int | None:
        """All legs' together; None as soon as one is unknown."""
        counts = [leg.orders_cancelled for leg in self.legs.values()]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    def moved_since(self, before: Money, tolerance_pct: Decimal) -> bool:
        """Whether what leaves the market is worth another amount than was agreed to. What stays may move: that is
        what a market maker's position does."""
        if not (self.position.takes_out or before.position.takes_out):
            return False
        if self.position is not before.position or self.legs.keys() != before.legs.keys():
            return True
        pairs = ((before.legs[name].notional, leg.notional) for name, leg in self.legs.items())
        return any(_is_other(old, new, tolerance_pct) for old, new in pairs)


class Sum(Value, frozen=True, kw_only=True):
    """A total: what is known of it, and of how many parts nothing is."""

    known: Decimal
    parts: int
    unknown: int

    @property
    def is_unknown(self) -> bool:
        return self.unknown > 0 and self.unknown == self.parts


class AccountMoney(Value, frozen=True, kw_only=True):
    """One account that bots of the plan trade on."""

    margin_used: Decimal | None
    margin_free: Decimal | None
    margin_age_s: Decimal | None
    fullest: tuple[str, int] | None


class Totals(Value, frozen=True, kw_only=True):
    """All bots of a plan together. Net adds long and short up, gross does not let them cancel out."""

    orders_cancelled: Sum
    orders_kept: Sum
    net: Sum
    net_after: Sum
    gross: Sum
    gross_after: Sum
    flatten_cost: Sum
    worst: Sum
    worst_after: Sum
    accounts: dict[str, AccountMoney]
    age_s: Decimal | None
    """The oldest of the books."""


def totals(actions: Iterable[Money]) -> Totals:
    """Add the legs of all actions up."""
    legs = [leg for money in actions for leg in money.legs.values()]
    return Totals(
        orders_cancelled=_sum(leg.orders_cancelled for leg in legs),
        orders_kept=_sum(leg.orders_kept for leg in legs),
        net=_sum(leg.notional for leg in legs),
        net_after=_sum(leg.notional_after for leg in legs),
        gross=_sum(_size(leg.notional) for leg in legs),
        gross_after=_sum(_size(leg.notional_after) for leg in legs),
        flatten_cost=_sum(leg.flatten_cost.total if leg.flatten_cost else None for leg in legs),
        worst=_sum(leg.worst for leg in legs),
        worst_after=_sum(leg.worst_after for leg in legs),
        accounts={name: _account(name, legs) for name in sorted({leg.account for leg in legs if leg.account})},
        age_s=max((leg.age_s for leg in legs if leg.age_s is not None), default=None),
    )


def _account(name: str, legs: Iterable[LegMoney]) -> AccountMoney:
    """An account's figures are the same in all its legs, where they are known: those nearest to a limit count."""
    own = [leg for leg in legs if leg.account == name]
    return AccountMoney(
        margin_used=max((leg.margin_used for leg in own if leg.margin_used is not None), default=None),
        margin_free=min((leg.margin_free for leg in own if leg.margin_free is not None), default=None),
        margin_age_s=max((leg.margin_age_s for leg in own if leg.margin_age_s is not None), default=None),
        fullest=max((leg.fullest for leg in own if leg.fullest), key=lambda share: share[1], default=None),
    )


def _sum(parts: Iterable[Decimal | int | None]) -> Sum:
    every = list(parts)
    known = [Decimal(part) for part in every if part is not None]
    return Sum(known=sum(known, Decimal(0)), parts=len(every), unknown=len(every) - len(known))


def _size(notional: Decimal | None) -> Decimal | None:
    return None if notional is None else abs(notional)


def _is_other(old: Decimal | None, new: Decimal | None, tolerance_pct: Decimal) -> bool:
    if old is None or new is None:
        return old is not new
    return abs(new - old) * 100 > tolerance_pct * max(abs(old), abs(new))
