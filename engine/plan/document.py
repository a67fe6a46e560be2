"""A plan as JSON, under `schemas/plan.schema.json`; its version grows when a reader would have to change."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.plan.actions import Action, Plan
from engine.plan.render import summary

VERSION = 1


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan in plain JSON types."""
    return {
        "version": VERSION,
        "fleet": plan.fleet,
        "env": plan.env,
        "env_in_force": plan.env_in_force,
        "generation": plan.generation,
        "has_changes": bool(plan.changes),
        "summary": summary(plan),
        "trouble": list(plan.trouble),
        "actions": [_action(action) for action in plan.actions],
        "waves": msgspec.to_builtins(plan.waves),
    }


def _action(action: Action) -> dict[str, Any]:
    return {
        "subject": str(action.subject),
        "name": action.name,
        "kind": str(action.kind),
        "is_change": action.kind.is_change,
        "impact": action.kind.impact,
        "reason": action.reason,
        "place": action.place or None,
        "before": action.before,
        "after": action.after,
        "changes": msgspec.to_builtins(action.changes),
        "money": {
            "orders_cancelled": action.money.orders_cancelled,
            "position": str(action.money.position),
            "legs": msgspec.to_builtins(action.money.legs),
        },
    }
