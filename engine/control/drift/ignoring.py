"""Notes that a finding is left as it is: who said so, why, and what he was shown; and takes such notes back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import msgspec

from engine.clock import iso_utc
from engine.control.audit import recorded
from engine.control.fleet import Fleet, caller
from engine.control.lock import writer_lock
from engine.errors import Conflict, UsageError
from engine.host.files import write_atomic
from engine.host.ignored_drift import ignored_drift
from engine.host.workspace import Workspace
from engine.plan.drift.findings import ID_CHARS_MIN, Finding, Noted

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
    _write(workspace, [*others, noted][-NOTES_MAX:])


def noted_as(workspace: Workspace, ids: Sequence[str]) -> tuple[Noted, ...]:
    """The notes named by their ids, or the beginnings of these, whether what they speak of is still so or not."""
    known, found = ignored_drift(workspace), {}
    for said in ids:
        matching = [key for key in known if len(said) >= ID_CHARS_MIN and key.startswith(said)]
        if len(matching) > 1:
            raise UsageError(f"{said} begins several ignored findings", hint=", ".join(matching))
        if not matching:
            raise Conflict(f"no finding {said} is ignored", hint="botctl drift --all shows those that are")
        found[matching[0]] = known[matching[0]]
    return tuple(found.values())


def tell_again(fleet: Fleet, notes: Sequence[Noted], *, why: str) -> None:
    """Take these notes back: what they speak of is told again, where it is still so."""
    with writer_lock(fleet.workspace, "drift unignore"):
        for note in notes:
            with recorded(fleet.workspace, "drift unignore", finding=note.id, found=note.words, why=why):
                kept = {**ignored_drift(fleet.workspace)}
                kept.pop(note.id, None)
                _write(fleet.workspace, kept.values())


def _write(workspace: Workspace, notes: Iterable[Noted]) -> None:
    write_atomic(workspace.ignored_drift, msgspec.json.encode(list(notes)) + b"\n", durable=True)
