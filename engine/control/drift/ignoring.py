"""Notes that a finding is left as it is: who said so, why, and what he was shown."""

from __future__ import annotations

import time

import msgspec

from engine.clock import iso_utc
from engine.control.fleet import caller
from engine.host.files import write_atomic
from engine.host.ignored_drift import ignored_drift
from engine.host.workspace import Workspace
from engine.plan.drift.findings import Finding, Noted

NOTES_MAX = 1_000
"""The oldest go first: what they speak of is told again, should it still be so."""


def note_ignored(workspace: Workspace, finding: Finding, *, why: str) -> None:
    """By its id, which is another one as soon as a figure is."""
    noted = Noted(
        id=finding.id,
        who=caller(),
        at=iso_utc(time.time_ns()),
        why=why,
        bot=finding.bot,
        words=finding.words,
    )
    others = [one for key, one in ignored_drift(workspace).items() if key != finding.id]
    notes = [*others, noted][-NOTES_MAX:]
    write_atomic(workspace.ignored_drift, msgspec.json.encode(notes) + b"\n", durable=True)
