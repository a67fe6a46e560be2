"""What speaks against a plan although every file is right: all limits of an account's bots against its equity.

Judged where prices are known, in what the engines say; what they do not say is called unknown, never fine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from engine.model.instrument import plain
from engine.model.value import Value
from engine.plan.actions import Action, Objection
from engine.plan.desired import DesiredBot
from engine.plan.money import LegMoney
from engine.spec.types import AccountSpec, Environment

_CASH = "USD"
"""What assets that back positions are called: USD, USDC, USDT."""


class _Standing(Value, frozen=True, kw_only=True):
    """One account with its perpetual bots: what their limits may come to, and what backs that."""

    account: AccountSpec
    place: str
    limits: Decimal
    unknown: tuple[str, ...]
    equity: Decimal | None


def objections(bots: Mapping[str, DesiredBot], actions: Iterable[Action]) -> tuple[Objection, ...]:
    """By account. More than its `max_leverage` allows is refused; more than its equity is worth a warning."""
    moneys = {action.name: action.money.legs for action in actions}
    perps = {name: bot for name, bot in bots.items() if bot.spec.enabled and _is_perp(bot)}
    accounts = sorted({leg.account for bot in perps.values() for leg in bot.spec.legs.values()})
    standings = (_standing(account, perps, moneys) for account in accounts)
    return tuple(objection for standing in standings for objection in _judged(standing))


def _is_perp(bot: DesiredBot) -> bool:
    """A bot with capital owns what it sells; only positions are backed by equity."""
    return bot.spec.risk.max_position is not None and "capital" not in bot.spec.strategy.parameters


def _standing(
    account: str, perps: Mapping[str, DesiredBot], moneys: Mapping[str, dict[str, LegMoney]]
) -> _Standing:
    legs: dict[str, LegMoney | None] = {}
    for name, bot in perps.items():
        legs |= {
            f"{name} {leg}": moneys.get(name, {}).get(leg)
            for leg, where in bot.spec.legs.items()
            if where.account == account
        }
    known = [money.worst_after for money in legs.values() if money and money.worst_after is not None]
    bot = next(bot for bot in perps.values() if account in bot.spec.accounts)
    return _Standing(
        account=bot.spec.accounts[account],
        place=bot.place(f"accounts.{account}.max_leverage"),
        limits=sum(known, Decimal(0)),
        unknown=tuple(sorted({key.split()[0] for key, leg in legs.items() if not leg or leg.worst_after is None})),
        equity=_equity(bot.spec.accounts[account], [leg for leg in legs.values() if leg]),
    )


def _equity(account: AccountSpec, legs: Iterable[LegMoney]) -> Decimal | None:
    """As the venue told an engine; of a simulated account else what it opened with."""
    for leg in legs:
        if leg.margin_used is not None and leg.margin_free is not None:
            return leg.margin_used + leg.margin_free
    if account.environment is not Environment.SIM:
        return None
    return sum((held for asset, held in account.balances.items() if asset.startswith(_CASH)), Decimal(0))


def _judged(at: _Standing) -> Iterator[Objection]:
    allowed, name = at.account.max_leverage, at.account.name
    if at.equity is not None and at.limits > at.equity * (allowed or 1):
        most = f"max_leverage {plain(allowed)} allows" if allowed else "it has"
        yield Objection(
            code="beyond-equity",
            message=f"the bots of account {name} may hold positions worth {at.limits:,.2f} by their limits, more "
            f"than {most}: its equity is {at.equity:,.2f}",
            place=at.place,
            is_error=allowed is not None,
        )
    elif allowed is not None and (at.equity is None or at.unknown):
        what = "its equity is unknown" if at.equity is None else f"of {', '.join(at.unknown)} no price is known yet"
        yield Objection(
            code="equity-unknown",
            message=f"whether the limits of account {name}'s bots keep to max_leverage {plain(allowed)} "
            f"is unknown: {what}",
            place=at.place,
            is_error=False,
        )
