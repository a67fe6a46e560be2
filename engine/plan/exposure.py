"""What bots may come to hold by their declared limits, as far as that is known: from at least to at most.

An engine keeps to its `risk.max_position` and to the shared budgets, so both bound it. Without a price, a size in
base is worth nobody knows what; a budget is in quote and needs none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from engine.model.value import Value
from engine.plan.desired import Desired
from engine.plan.policy_facts import Book
from engine.spec.types import BotSpec, BudgetSpec, BudgetsSpec

ZERO = Decimal(0)


class Amount(Value, frozen=True, kw_only=True):
    """A sum that is not known better than this; `most` None: it may be any."""

    least: Decimal = ZERO
    most: Decimal | None = None

    @property
    def is_exact(self) -> bool:
        return self.least == self.most

    def exceeds(self, limit: Decimal) -> bool | None:
        """Whether it is more than a limit; None when nobody can tell."""
        if self.most is not None and self.most <= limit:
            return False
        return True if self.least > limit else None

    def capped(self, cap: Decimal | None) -> Amount:
        """The same where something keeps it from becoming more than `cap`."""
        if cap is None:
            return self
        return Amount(least=min(self.least, cap), most=cap if self.most is None else min(self.most, cap))


class LegExposure(Value, frozen=True, kw_only=True):
    """One leg of an enabled bot. What a bot owns outright is no leverage: `is_margined` is False then."""

    bot: str
    leg: str
    venue: str
    account: str
    market: str
    is_margined: bool
    amount: Amount


def exposures(desired: Desired, prices: Mapping[Book, Decimal]) -> tuple[LegExposure, ...]:
    """Every leg of every enabled bot, with the most it may hold in quote."""
    budgets = desired.fleet.budgets or BudgetsSpec()
    return tuple(
        exposure
        for name, bot in sorted(desired.bots.items())
        if bot.spec.enabled
        for exposure in _of(name, bot.spec, budgets, prices)
    )


def together(legs: Iterable[LegExposure], budgets: BudgetsSpec | None) -> Amount:
    """The amounts of these legs, long and short added up, within what accounts and fleet may hold."""
    budgets = budgets or BudgetsSpec()
    by_account: dict[str, list[Amount]] = {}
    for leg in legs:
        by_account.setdefault(leg.account, []).append(leg.amount)
    held = (added(amounts).capped(_gross(budgets.accounts.get(name))) for name, amounts in by_account.items())
    return added(held).capped(_gross(budgets.fleet))


def apart(
    legs: Sequence[LegExposure], place: Callable[[LegExposure], str]
) -> Iterator[tuple[str, list[LegExposure], Amount, Amount]]:
    """By place: its legs, what they may hold, and what all the others may. Every leg is counted once, however many
    places there are."""
    groups: dict[str, list[LegExposure]] = {}
    for leg in legs:
        groups.setdefault(place(leg), []).append(leg)
    known = {name: sum((leg.amount.most or ZERO for leg in group), ZERO) for name, group in groups.items()}
    unknown = {name: sum(leg.amount.most is None for leg in group) for name, group in groups.items()}
    all_known, all_unknown = sum(known.values(), ZERO), sum(unknown.values())
    whole = added(leg.amount for leg in legs)
    for name, group in sorted(groups.items()):
        inside = added(leg.amount for leg in group)
        most = None if all_unknown > unknown[name] else all_known - known[name]
        yield name, group, inside, Amount(least=whole.least - inside.least, most=most)


def added(amounts: Iterable[Amount]) -> Amount:
    every = list(amounts)
    known = [amount.most for amount in every if amount.most is not None]
    return Amount(
        least=sum((amount.least for amount in every), ZERO),
        most=sum(known, ZERO) if len(known) == len(every) else None,
    )


def _of(name: str, spec: BotSpec, budgets: BudgetsSpec, prices: Mapping[Book, Decimal]) -> Iterator[LegExposure]:
    for leg, where in spec.legs.items():
        book = where.venue, spec.accounts[where.account].environment, where.market
        amount = _declared(spec, prices.get(book)).capped(_gross(budgets.accounts.get(where.account)))
        yield LegExposure(
            bot=name,
            leg=leg,
            venue=where.venue,
            account=where.account,
            market=where.market,
            is_margined="capital" not in spec.strategy.parameters,
            amount=amount.capped(_gross(budgets.fleet)),
        )


def _declared(spec: BotSpec, price: Decimal | None) -> Amount:
    """By the bot's own limits; on spot, all of its capital changed into one asset."""
    size, own = spec.risk.max_position, ZERO
    capital = spec.strategy.parameters.get("capital")
    if size is None:
        if not isinstance(capital, dict) or not capital.keys() >= {"base", "quote"}:
            return Amount()
        size, own = Decimal(str(capital["base"])), Decimal(str(capital["quote"]))
    if price is None:
        return Amount(least=own, most=ZERO if not size and not own else None)
    worth = max(size * price, own)
    return Amount(least=worth, most=worth)


def _gross(budget: BudgetSpec | None) -> Decimal | None:
    return budget.max_gross_exposure_usd if budget else None
