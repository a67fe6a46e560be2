"""A plan as JSON, under `schemas/plan.schema.json`; its version grows when a reader would have to change."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from engine.model.instrument import plain
from engine.plan.actions import Action, Plan
from engine.plan.money import LegMoney, totals
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
        "objections": msgspec.to_builtins(plan.objections),
        "policy": msgspec.to_builtins(plan.findings),
        "money": _figures(totals(action.money for action in plan.actions)),
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
            "legs": {name: _leg(leg) for name, leg in action.money.legs.items()},
        },
    }


def _leg(leg: LegMoney) -> dict[str, Any]:
    cost = leg.flatten_cost
    figures: dict[str, Any] = _figures(leg)
    figures["flatten_cost"] = {**_figures(cost), "total": plain(cost.total)} if cost else None
    return figures


def _figures(value: Any) -> Any:
    """Plain JSON types; amounts as plain text, so that no reader makes them inexact."""
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, dict):
        return {key: _figures(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_figures(item) for item in value]
    return plain(value) if isinstance(value, Decimal) else value
