"""Makes a plan: what is declared against what is true, for all bots or for some. Has nothing to act with."""

from __future__ import annotations

from engine.model.value import Value
from engine.plan.actions import Plan
from engine.plan.desired import Desired
from engine.plan.diff import diff
from engine.plan.narrowing import everybody, narrowed
from engine.plan.observed import Observed
from engine.plan.policy_facts import Origin
from engine.plan.selection import Selection


class Planned(Value, frozen=True, kw_only=True):
    """A plan and the declaration that it makes true. `only` names the bots it is for; empty: all. `made_from` is
    the commit behind the declaration, where somebody asked."""

    plan: Plan
    desired: Desired
    only: tuple[str, ...] = ()
    made_from: Origin = Origin(says="nobody asked git")


def make_plan(desired: Desired, observed: Observed, selection: Selection) -> Planned:
    """The whole fleet's plan, or that of the bots selected, beside which nothing changes."""
    if selection.is_everything:
        return Planned(plan=diff(desired, observed), desired=desired)
    only = tuple(sorted(selection.names(everybody(desired, observed))))
    some = narrowed(desired, observed.applied, only)
    return Planned(plan=diff(some, observed).only(only), desired=some, only=only)
