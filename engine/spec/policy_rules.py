"""What no schema can say of a policy: every rule limits one thing, so that an override never lifts two."""

from __future__ import annotations

from collections.abc import Mapping

from engine.spec.diagnostics import Findings
from engine.spec.document import MappingNode, place_at
from engine.spec.policy import LIMITS, Policy


def check_policy(root: MappingNode, policy: Policy, findings: Findings) -> None:
    """Report rules that limit nothing, or several things at once."""
    for name, rule in policy.items():
        place = place_at(root, ("policy", name))
        if not any(_limits_something(getattr(rule, limit)) for limit in rule.limits):
            hint = f"give it one of {', '.join(LIMITS)}"
            findings.error("rule-without-limit", f"rule {name} limits nothing", place, hint=hint)
        elif len(rule.limits) > 1:
            findings.error(
                "rule-with-limits",
                f"rule {name} limits several things: {', '.join(rule.limits)}",
                place,
                hint="make a rule of each: who overrides one must not lift the others with it",
            )


def _limits_something(limit: object) -> bool:
    return not isinstance(limit, Mapping) or bool(limit)
