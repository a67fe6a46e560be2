"""Rules that name what is allowed: markets, strategies, venues, environments. Known from the files alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase

from engine.plan.desired import Desired
from engine.plan.findings import Breach
from engine.spec.policy import ANY, Rule
from engine.spec.types import AccountSpec, BotSpec, LegSpec

_ANOTHER = "choose one that is allowed, set `enabled: false`, or change the rule"


def markets(rule: Rule, desired: Desired) -> Iterator[Breach]:
    lists = rule.markets or {}
    for spec, name, leg in _legs(desired):
        allowed = lists.get(leg.venue, lists.get(ANY, ()))
        if not _is_listed(leg.market, allowed):
            figure = f"{leg.market} on {leg.venue}"
            yield _breach(spec, market_field(spec, name), "market", figure, allowed)


def strategies(rule: Rule, desired: Desired) -> Iterator[Breach]:
    allowed = rule.strategies or ()
    for spec in _enabled(desired):
        if not _is_listed(spec.strategy.kind, allowed):
            yield _breach(spec, "strategy.kind", "strategy", spec.strategy.kind, allowed)


def venues(rule: Rule, desired: Desired) -> Iterator[Breach]:
    yield from _by_account(desired, rule.venues or (), "venue", lambda account: account.venue)


def environments(rule: Rule, desired: Desired) -> Iterator[Breach]:
    yield from _by_account(desired, rule.environments or (), "environment", lambda account: account.environment)


def market_field(spec: BotSpec, leg: str) -> str:
    """Where a bot writes a leg's market."""
    return "exchange.market" if len(spec.legs) == 1 else f"exchange.legs.{leg}.market"


def _by_account(
    desired: Desired, allowed: Sequence[str], what: str, value: Callable[[AccountSpec], str]
) -> Iterator[Breach]:
    """One breach per bot and value, where the account is named: it decides venue and environment."""
    told: set[tuple[str, str]] = set()
    for spec, name, leg in _legs(desired):
        figure = str(value(spec.accounts[leg.account]))
        if (spec.name, figure) not in told and not _is_listed(figure, allowed):
            told.add((spec.name, figure))
            field = market_field(spec, name).removesuffix("market") + "account"
            yield _breach(spec, field, what, f"{figure} (account {leg.account})", allowed)


def _breach(spec: BotSpec, field: str, what: str, figure: str, allowed: Sequence[str]) -> Breach:
    return Breach(
        bot=spec.name,
        field=field,
        what=f"bot {spec.name}, {what}",
        figure=figure,
        limit=", ".join(allowed) or "none there",
        hint=_ANOTHER,
    )


def _is_listed(value: str, allowed: Sequence[str]) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in allowed)


def _enabled(desired: Desired) -> Iterator[BotSpec]:
    yield from (bot.spec for _, bot in sorted(desired.bots.items()) if bot.spec.enabled)


def _legs(desired: Desired) -> Iterator[tuple[BotSpec, str, LegSpec]]:
    for spec in _enabled(desired):
        yield from ((spec, name, leg) for name, leg in spec.legs.items())
