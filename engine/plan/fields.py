"""Compares two specs setting by setting, in the words of the files a person edits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from engine.plan.actions import FieldChange
from engine.plan.desired import DesiredBot
from engine.spec.impact import Impact, impact_of
from engine.spec.types import BotSpec


def field_changes(before: BotSpec, after: DesiredBot) -> tuple[FieldChange, ...]:
    """Every setting that differs, with the place of its new value."""
    if before == after.spec:
        return ()
    old, new = _written(before), _written(after.spec)
    return tuple(
        FieldChange(
            path=path,
            before=old.get(path),
            after=new.get(path),
            place=after.place(path),
            impact=impact_of(path).replace("_", " "),
        )
        for path in sorted({*old, *new})
        if old.get(path) != new.get(path)
    )


def strongest_impact(changes: tuple[FieldChange, ...]) -> Impact:
    """What the changes together ask of the process."""
    impacts = (Impact(change.impact.replace(" ", "_")) for change in changes)
    return max(impacts, key=lambda impact: impact.strength, default=Impact.NONE)


def _written(spec: BotSpec) -> dict[str, Any]:
    """The spec's settings by the path a person writes: `strategy.spread_bps`, `exchange.market`."""
    document = msgspec.to_builtins(spec)
    legs = document["legs"]
    return dict(
        leaves(
            {
                "metadata": {
                    "labels": document["labels"],
                    "protected": document["protected"] or None,
                    "role": document["role"],
                    "depends_on": document["depends_on"] or None,
                },
                "enabled": document["enabled"],
                "exchange": legs["main"] if set(legs) == {"main"} else {"legs": legs},
                "strategy": {"kind": document["strategy"]["kind"], **document["strategy"]["parameters"]},
                "risk": document["risk"],
                "process": document["process"],
                "budgets": document["budgets"] or {},
                "accounts": {name: document["accounts"][name] for name in _used_accounts(spec)},
            }
        )
    )


def _used_accounts(spec: BotSpec) -> list[str]:
    return sorted({leg.account for leg in spec.legs.values()} & set(spec.accounts))


def leaves(node: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a nested document that is set, by its path."""
    for key, value in node.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict):
            yield from leaves(value, f"{path}.")
        elif value is not None:
            yield path, value
