"""Finds what about a plan wants a word of its own, at this moment. For `plan` and `apply`; it only reads."""

from __future__ import annotations

from datetime import UTC, datetime

from engine.control.facts import funding_times
from engine.host.workspace import Workspace
from engine.plan.actions import Plan
from engine.plan.desired import Desired
from engine.plan.freezes import freezes_at
from engine.plan.observed import Observed
from engine.plan.risks import RiskFound, risks_of


def find_risks(workspace: Workspace, plan: Plan, desired: Desired, observed: Observed) -> tuple[RiskFound, ...]:
    """Everything that `--yes` does not answer."""
    policy = desired.fleet.rollout
    fundings = funding_times(workspace, plan, desired, observed) if policy else {}
    return risks_of(plan, desired, observed, freezes_at(datetime.now(UTC), policy, fundings))
