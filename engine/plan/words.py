"""A plan in a few words, as history and locks keep it: `update sol; create btc, eth and 3 more`."""

from __future__ import annotations

from engine.plan.actions import Action, Plan, Subject

NAMES_MAX = 3


def in_few_words(plan: Plan) -> str:
    """What changes, kind by kind."""
    by_kind: dict[str, list[str]] = {}
    for action in plan.changes:
        by_kind.setdefault(action.kind, []).append(_title(action))
    return "; ".join(f"{kind} {_listed(names)}" for kind, names in by_kind.items()) or "settings no bot feels"


def _title(action: Action) -> str:
    return f"simulator {action.name}" if action.subject is Subject.SIMULATOR else action.name


def _listed(names: list[str]) -> str:
    more = len(names) - NAMES_MAX
    return ", ".join(names[:NAMES_MAX]) + (f" and {more} more" if more > 0 else "")
