"""Simulated venues in the plan: programs of the fleet like its bots, started before them and stopped after."""

from __future__ import annotations

from engine.plan.actions import Action, Kind, Subject
from engine.plan.desired import Desired, DesiredSimulator
from engine.plan.observed import Observed, Simulator, Unknown


def actions(desired: Desired, observed: Observed) -> list[Action]:
    """What to do about every simulated venue, by name."""
    applied = observed.applied.simulators if observed.applied else {}
    seen = observed.simulators
    if isinstance(seen, Unknown):
        return [
            Action(subject=Subject.SIMULATOR, name=name, kind=Kind.UNKNOWN, reason="whether it runs is unknown")
            for name in sorted(desired.simulators)
        ]
    return [
        _action(name, desired.simulators.get(name), seen.get(name), applied.get(name))
        for name in sorted({*desired.simulators, *seen, *applied})
    ]


def _action(name: str, wanted: DesiredSimulator | None, seen: Simulator | None, applied: str | None) -> Action:
    runs = seen is not None and seen.process.is_up
    before = (seen.fingerprint if seen else None) or applied
    after = wanted.fingerprint if wanted else None
    if wanted is None:
        kind, reason = Kind.RETIRE, "the fleet simulates it no more"
    elif applied is None and not runs:
        kind, reason = Kind.CREATE, "a simulated venue on loopback"
    elif not runs:
        kind, reason = Kind.START, "not running; its simulated accounts start over"
    elif before != after:
        kind, reason = Kind.RESTART, "its settings changed; its simulated accounts start over"
    else:
        kind, reason = Kind.NONE, "up to date"
    return Action(subject=Subject.SIMULATOR, name=name, kind=kind, reason=reason, before=before, after=after)
