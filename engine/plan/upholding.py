"""Refuses a plan that its policy speaks against, and says what has to happen instead.

Nothing stands in the way of a plan that only takes away: a limit must never keep people from stopping a bot.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from engine.errors import Refused, UsageError
from engine.plan.actions import Plan
from engine.plan.findings import Finding, finding_text
from engine.spec.policy import Level, Policy

_UNCHANGED = "nothing was changed; below each finding stands what would help"


def require_rules(policy: Policy, overrides: Collection[str], why: str) -> None:
    """UsageError unless every override names a rule, and says why."""
    for name in overrides:
        if name not in policy:
            known = f"rules are: {', '.join(policy)}" if policy else "fleet.yaml has no policy"
            raise UsageError(f"`{name}` is no rule of this fleet", hint=known)
    if overrides and not why.strip():
        raise UsageError("an override needs a reason", hint=f"--override {next(iter(overrides))} --why REASON")


def require_upheld(plan: Plan, overrides: Collection[str] = ()) -> tuple[Finding, ...]:
    """What was found and is overridden, for the record. Refused when anything else speaks against the plan."""
    return () if plan.only_takes_away else require_allowed(plan.findings, overrides)


def require_allowed(findings: Iterable[Finding], overrides: Collection[str] = ()) -> tuple[Finding, ...]:
    """The same for findings that no plan carries."""
    against = tuple(found for found in findings if found.level is not Level.WARN)
    lifted = tuple(found for found in against if found.level is Level.OVERRIDE and found.rule in overrides)
    refused = [found for found in against if found not in lifted]
    if refused:
        words = (f"{finding_text(found)}\n    {_hint(found, overrides)}" for found in refused)
        raise Refused("the policy of fleet.yaml speaks against this\n" + "\n".join(words), hint=_UNCHANGED)
    return lifted


def _hint(found: Finding, overrides: Collection[str]) -> str:
    if found.level is Level.OVERRIDE:
        return f"{found.hint}; or --override {found.rule} --why REASON"
    if found.rule in overrides:
        return f"{found.hint}; rule {found.rule} is deny, which nobody overrides"
    return found.hint
