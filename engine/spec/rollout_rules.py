"""What no schema can say of the order bots start in, and of how a fleet is rolled out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

from engine.spec.dependencies import circle, dependencies
from engine.spec.diagnostics import Findings, nearest
from engine.spec.document import MappingNode, Place, place_at
from engine.spec.rules import BotDraft
from engine.spec.types import RolloutSpec


def check_rollout(root: MappingNode, policy: RolloutSpec, drafts: Sequence[BotDraft], findings: Findings) -> None:
    """Windows that can open, and a canary of bots that exist."""
    for index, window in enumerate(policy.freeze):
        if problem := _problem(window.cron):
            place = place_at(root, ("rollout", "freeze", index, "cron"))
            hint = "minute hour day month weekday, in UTC: `0 13 * * MON-FRI` opens at 13:00 on working days"
            findings.error("bad-cron", f"`{window.cron}` is no time: {problem}", place, hint=hint)
    named = policy.canary.bots if policy.canary else None
    known = {draft.spec.name for draft in drafts if draft.spec}
    for index, name in enumerate(named if isinstance(named, tuple) else ()):
        if name not in known:
            place = place_at(root, ("rollout", "canary", "bots", index))
            findings.error("unknown-bot", f"no bot is called `{name}`", place, hint=nearest(name, known))


def check_order(drafts: Sequence[BotDraft]) -> None:
    """Every bot waits only for bots that exist, and none for itself by way of others."""
    by_name = {draft.spec.name: draft for draft in drafts if draft.spec}
    for draft in by_name.values():
        _check_names(draft, by_name.keys())
    around = circle(dependencies({name: draft.spec for name, draft in by_name.items() if draft.spec}))
    if around:
        _report_circle(around, by_name)


def _problem(cron: str) -> str:
    if len(cron.split()) != 5:
        return "it has not five parts"
    try:
        next(CronSim(cron, datetime(2000, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        return str(error)
    except StopIteration:
        return "it never comes"
    return ""


def _check_names(draft: BotDraft, known: Collection[str]) -> None:
    assert draft.spec is not None
    for index, name in enumerate(draft.spec.depends_on):
        if name not in known:
            place = draft.place("metadata", "depends_on", index)
            draft.findings.error("unknown-bot", f"no bot is called `{name}`", place, hint=nearest(name, known))


def _report_circle(around: Sequence[str], drafts: dict[str, BotDraft]) -> None:
    """At the first bot of the circle that says itself for whom it waits; the others are named with their places."""
    here = next(draft for name in around if (draft := drafts[name]).spec and draft.spec.depends_on)
    places = ", ".join(f"{name} ({_place(drafts[name])})" for name in dict.fromkeys(around))
    here.findings.error(
        "waits-in-a-circle",
        f"these bots wait for one another: {places}",
        _place(here),
        hint="take one name out of a depends_on, or change a role",
    )


def _place(draft: BotDraft) -> Place:
    return draft.place("metadata", "depends_on")
