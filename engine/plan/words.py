"""A plan in a few words, as history and locks keep it: `update sol; create btc, eth and 3 more`."""

from __future__ import annotations

from engine.plan.actions import Action, Plan, Subject

NAMES_MAX = 3


def in_few_words(plan: Plan) -> str:
    """What changes, kind by kind."""
    by_kind: dict[str, list[str]] = {}
    for action in plan.changes:
        by_kind.setdefault(action.kind, []).append(_title(action))
    return "; ".join(f"{kind} {listed(names, NAMES_MAX)}" for kind, names in by_kind.items()) or "recorded only"


def _title(action: Action) -> str:
    return f"simulator {action.name}" if action.subject is Subject.SIMULATOR else action.name


def listed(names: list[str], count_max: int) -> str:
    """The first names, and how many more."""
    more = len(names) - count_max
    return ", ".join(names[:count_max]) + (f" and {more} more" if more > 0 else "")
