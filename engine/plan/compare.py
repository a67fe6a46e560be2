"""Two applied states of a fleet, compared setting by setting. `botctl diff` is the caller."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.model.value import Value
from engine.plan.actions import FieldChange
from engine.plan.desired import Desired
from engine.plan.fields import field_changes, leaves

ADDED, REMOVED, CHANGED = "added", "removed", "changed"


class BotDifference(Value, frozen=True, kw_only=True):
    """One bot that is not the same in both."""

    name: str
    what: str
    changes: tuple[FieldChange, ...] = ()


class Comparison(Value, frozen=True, kw_only=True):
    """What differs: settings of the fleet itself, then bots by name."""

    fleet: tuple[FieldChange, ...]
    bots: tuple[BotDifference, ...]

    @property
    def is_empty(self) -> bool:
        return not self.fleet and not self.bots


def compare(before: Desired, after: Desired) -> Comparison:
    """From `before` to `after`."""
    names = sorted({*before.bots, *after.bots})
    bots = (_bot(before, after, name) for name in names)
    return Comparison(
        fleet=_fleet_changes(before, after), bots=tuple(difference for difference in bots if difference)
    )


def _bot(before: Desired, after: Desired, name: str) -> BotDifference | None:
    old, new = before.bots.get(name), after.bots.get(name)
    if old is None or new is None:
        return BotDifference(name=name, what=ADDED if old is None else REMOVED)
    changes = field_changes(old.spec, new)
    return BotDifference(name=name, what=CHANGED, changes=changes) if changes else None


def _fleet_changes(before: Desired, after: Desired) -> tuple[FieldChange, ...]:
    """What stands in fleet.yaml; accounts show with the bots that use them."""
    old, new = _written(before), _written(after)
    return tuple(
        FieldChange(path=path, before=old.get(path), after=new.get(path), place="", impact="")
        for path in sorted({*old, *new})
        if old.get(path) != new.get(path)
    )


def _written(desired: Desired) -> dict[str, Any]:
    document = msgspec.to_builtins(desired.fleet)
    document.pop("accounts", None)
    document["sim"] = document.pop("sims", {})
    return dict(leaves(document))
