"""`judge(desired, facts) -> findings`: a fleet held against its own policy. Pure; who gathers facts is elsewhere.

Without facts only the files are judged, which is what `validate` can do: what a file cannot say is then no finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from engine.plan import policy_lists, policy_money, policy_people
from engine.plan.desired import Desired
from engine.plan.findings import Breach, Finding
from engine.plan.policy_facts import Facts
from engine.spec.documents import FLEET_FILE
from engine.spec.policy import Rule

Judge = Callable[[Rule, Desired], Iterator[Breach]]
Witness = Callable[[Rule, Desired, Facts], Iterator[Breach]]

_BY_FILES: dict[str, Judge] = {
    "markets": policy_lists.markets,
    "strategies": policy_lists.strategies,
    "venues": policy_lists.venues,
    "environments": policy_lists.environments,
    "max_leverage": policy_money.declared_leverage,
}
_BY_FACTS: dict[str, Witness] = {
    "max_leverage": policy_money.leverage,
    "max_total_notional_usd": policy_money.total,
    "max_position_notional_usd": policy_money.positions,
    "max_share_pct": policy_money.shares,
    "mainnet_commit": policy_people.commit,
    "four_eyes": policy_people.four_eyes,
}


def judge(desired: Desired, facts: Facts | None = None) -> tuple[Finding, ...]:
    """Everything that the fleet's rules have against it, rule by rule as they are written."""
    return tuple(
        _finding(name, rule, desired, breach)
        for name, rule in desired.fleet.policy.items()
        for breach in _breaches(rule, desired, facts)
    )


def _breaches(rule: Rule, desired: Desired, facts: Facts | None) -> Iterator[Breach]:
    for limit in rule.limits:
        if limit in _BY_FILES:
            yield from _BY_FILES[limit](rule, desired)
        if limit in _BY_FACTS and facts is not None:
            yield from _BY_FACTS[limit](rule, desired, facts)


def _finding(name: str, rule: Rule, desired: Desired, breach: Breach) -> Finding:
    rule_place = desired.rules.get(name, FLEET_FILE)
    bot = desired.bots.get(breach.bot)
    return Finding(
        **msgspec.structs.asdict(breach),
        rule=name,
        level=rule.level,
        reason=rule.reason,
        place=bot.place(breach.field) if bot else rule_place,
        rule_place=rule_place,
    )
