"""Rules about money: leverage, totals, single positions, concentration. All of it in quote (USD).

Judged by what the bots may come to hold, not by what they happen to hold now: a plan is about the declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from engine.plan.desired import Desired
from engine.plan.exposure import ZERO, Amount, LegExposure, apart, exposures, together
from engine.plan.findings import Breach
from engine.plan.policy_facts import Facts
from engine.plan.words import NAMES_MAX, listed
from engine.spec.policy import ANY, Rule, Share

HEDGE_LEVERAGE = "hedge_leverage"
_LOWER = "lower risk.max_position, or bound them with max_gross_exposure_usd under budgets in fleet.yaml"
_NO_PRICE = (
    "no price is known before a bot trades there: bound it in money, with max_gross_exposure_usd under budgets in "
    "fleet.yaml"
)
_NO_EQUITY = (
    "the first engine on the account tells it: until one runs there, the rule must be of level override or warn"
)
_PLACES: dict[Share, Callable[[LegExposure], str]] = {
    Share.MARKET: lambda leg: f"{leg.market} on {leg.venue}",
    Share.VENUE: lambda leg: leg.venue,
    Share.ACCOUNT: lambda leg: leg.account,
}


def declared_leverage(rule: Rule, desired: Desired) -> Iterator[Breach]:
    """What a hedging bot takes its collateral to carry, which it says itself."""
    for name, bot in sorted(desired.bots.items()):
        written, hedge = bot.spec.strategy.parameters.get(HEDGE_LEVERAGE), bot.spec.legs.get("hedge")
        if not bot.spec.enabled or written is None or hedge is None:
            continue
        limit, leverage = _of_venue(rule, hedge.venue), Decimal(str(written))
        if limit is not None and leverage > limit:
            yield Breach(
                bot=name,
                field=f"strategy.{HEDGE_LEVERAGE}",
                what=f"bot {name}, {HEDGE_LEVERAGE} on {hedge.venue}",
                figure=_times(leverage),
                limit=f"{_times(limit)} at most",
                hint=f"lower strategy.{HEDGE_LEVERAGE}",
            )


def leverage(rule: Rule, desired: Desired, facts: Facts) -> Iterator[Breach]:
    """By account: what its bots may hold on margin, against what backs it."""
    legs = [leg for leg in exposures(desired, facts.prices) if leg.is_margined]
    for account in sorted({leg.account for leg in legs}):
        limit = _of_venue(rule, desired.fleet.accounts[account].venue)
        if limit is None:
            continue
        own = [leg for leg in legs if leg.account == account]
        what = f"account {account} ({_bots(own)}), leverage"
        yield from _leverage(what, together(own, desired.fleet.budgets), facts.equity.get(account), limit)


def total(rule: Rule, desired: Desired, facts: Facts) -> Iterator[Breach]:
    """Long and short of all bots added up."""
    if rule.max_total_notional_usd is not None:
        amount = together(exposures(desired, facts.prices), desired.fleet.budgets)
        yield from _over(amount, rule.max_total_notional_usd, _usd, "all bots together")


def positions(rule: Rule, desired: Desired, facts: Facts) -> Iterator[Breach]:
    """Each bot in each of its markets."""
    if rule.max_position_notional_usd is not None:
        for leg in exposures(desired, facts.prices):
            what = f"bot {leg.bot}, position in {leg.market} on {leg.venue}"
            yield from _over(leg.amount, rule.max_position_notional_usd, _usd, what, bot=leg.bot)


def shares(rule: Rule, desired: Desired, facts: Facts) -> Iterator[Breach]:
    """One market, venue or account beside all the others."""
    legs = exposures(desired, facts.prices)
    for part, limit in (rule.max_share_pct or {}).items():
        for name, inside, amount, others in apart(legs, _PLACES[part]):
            what = f"{part} {name} ({_bots(inside)}), share of all that may be held"
            yield from _over(_share(amount, others), limit, _percent, what)


def _leverage(what: str, held: Amount, equity: Decimal | None, limit: Decimal) -> Iterator[Breach]:
    verdict = None if equity is None else held.exceeds(equity * limit)
    if verdict is False:
        return
    if equity is None:
        figure, hint = "unknown, because its equity is", _NO_EQUITY
    elif equity <= 0:
        figure, hint = "without bound: there is no equity", "put collateral there first"
    else:
        of_equity = Amount(least=held.least / equity, most=None if held.most is None else held.most / equity)
        figure, hint = _figure(of_equity, _times, verdict), _LOWER if verdict else _NO_PRICE
    yield Breach(what=what, figure=figure, limit=f"{_times(limit)} at most", hint=hint, is_unknown=verdict is None)


def _over(
    amount: Amount, limit: Decimal, words: Callable[[Decimal], str], what: str, *, bot: str = ""
) -> Iterator[Breach]:
    verdict = amount.exceeds(limit)
    if verdict is not False:
        yield Breach(
            bot=bot,
            field="risk.max_position" if bot else "",
            what=what,
            figure=_figure(amount, words, verdict),
            limit=f"{words(limit)} at most",
            hint=_LOWER if verdict else _NO_PRICE,
            is_unknown=verdict is None,
        )


def _share(inside: Amount, outside: Amount) -> Amount:
    """In percent: smallest beside the most that all others may hold, largest beside the least."""
    least, most = ZERO, Decimal(100)
    if outside.most is not None and inside.least:
        least = 100 * inside.least / (inside.least + outside.most)
    if inside.most is not None:
        most = 100 * inside.most / (inside.most + outside.least) if inside.most else ZERO
    return Amount(least=least, most=most)


def _of_venue(rule: Rule, venue: str) -> Decimal | None:
    limits = rule.max_leverage or {}
    return limits.get(venue, limits.get(ANY))


def _figure(amount: Amount, words: Callable[[Decimal], str], verdict: bool | None) -> str:
    if amount.is_exact:
        return words(amount.least)
    known = f"at least {words(amount.least)}" if amount.least else ""
    return known if verdict else ", ".join(filter(None, ("unknown", known)))


def _bots(legs: Iterable[LegExposure]) -> str:
    return "bots " + listed(list(dict.fromkeys(leg.bot for leg in legs)), NAMES_MAX)


def _usd(value: Decimal) -> str:
    return f"{value:,.2f} USD"


def _percent(value: Decimal) -> str:
    return f"{value:.1f} %"


def _times(value: Decimal) -> str:
    return f"{value:.2f} times".replace(".00 ", " ")
