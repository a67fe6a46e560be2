"""Gathers what a fleet's policy must know, and holds plans and files against it. `engine.plan.policy` judges."""

from __future__ import annotations

import msgspec

from engine.control.desired import declared
from engine.control.fleet import person
from engine.control.origin import origin_of
from engine.control.planning import Planned
from engine.host.approvals import approvals_of
from engine.host.workspace import Workspace
from engine.plan.actions import Plan
from engine.plan.desired import Desired
from engine.plan.findings import Finding
from engine.plan.marks import equity, prices
from engine.plan.observed import Observed
from engine.plan.policy import judge
from engine.plan.policy_facts import Facts, Origin, Warrant
from engine.spec.diagnostics import Diagnostic, Related, Severity
from engine.spec.document import Place
from engine.spec.load import Loaded
from engine.spec.policy import Level
from engine.spec.types import Environment

_NOTHING = Observed()
_NO_WARRANT = Warrant()


def judged(workspace: Workspace, plan: Plan, desired: Desired, observed: Observed, warrant: Warrant) -> Plan:
    """The plan with everything that the policy finds."""
    return msgspec.structs.replace(plan, findings=findings(workspace, desired, observed, warrant))


def findings(
    workspace: Workspace, desired: Desired, observed: Observed = _NOTHING, warrant: Warrant = _NO_WARRANT
) -> tuple[Finding, ...]:
    """Everything that the policy has against what is declared, as far as anything is known."""
    if not desired.fleet.policy:
        return ()
    facts = Facts(
        prices=prices(desired.fleet, observed),
        equity=equity(desired.fleet, observed),
        commit=warrant.made_from or commit_behind(workspace, desired),
        applier=person(),
        approvals=approvals_of(workspace, warrant.plan_hash),
        is_again=warrant.is_again,
    )
    return judge(desired, facts)


def with_findings(
    workspace: Workspace, planned: Planned, observed: Observed, warrant: Warrant = _NO_WARRANT
) -> Planned:
    """A plan that was just made, with what the policy finds, and the commit that it looked at."""
    made_from = commit_behind(workspace, planned.desired)
    warrant = msgspec.structs.replace(warrant, made_from=made_from)
    plan = judged(workspace, planned.plan, planned.desired, observed, warrant)
    return msgspec.structs.replace(planned, plan=plan, made_from=made_from)


def commit_behind(workspace: Workspace, desired: Desired) -> Origin:
    """What git says of the files; it is only asked where a rule wants to know."""
    is_asked = any(rule.mainnet_commit for rule in desired.fleet.policy.values())
    accounts = (account for bot in desired.bots.values() for account in bot.spec.accounts.values())
    if is_asked and any(account.environment is Environment.MAINNET for account in accounts):
        return origin_of(workspace.root)
    return Origin(says="nobody asked git")


def diagnostics(loaded: Loaded) -> tuple[Diagnostic, ...]:
    """What the policy says of files alone, each with the place of the bot and that of the rule."""
    if loaded.fleet is None:
        return ()
    return tuple(_diagnostic(loaded, found) for found in judge(declared(loaded, loaded.fleet)))


def _diagnostic(loaded: Loaded, found: Finding) -> Diagnostic:
    rule = loaded.rules.get(found.rule) or Place(file=found.rule_place, line=1, column=1)
    bot = loaded.bots.get(found.bot)
    return Diagnostic(
        severity=Severity.ERROR if found.level is Level.DENY else Severity.WARNING,
        code=f"policy-{found.level}",
        message=found.message,
        place=bot.place(found.field) if bot else rule,
        hint=found.hint,
        related=(Related(note=f"rule {found.rule}", place=rule),),
    )
