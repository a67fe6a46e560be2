"""What `botctl drift adopt | revert | ignore | unignore` does: shows what was named, asks, and does it."""

from __future__ import annotations

from collections.abc import Sequence

from engine.commands.consent import confirm
from engine.control.drift.ignoring import noted_as, tell_again
from engine.control.drift.looking import Wanted, look
from engine.control.drift.settling import Said, carry_out, chosen, require_possible
from engine.control.fleet import Fleet
from engine.plan.drift.findings import Way

DONE = {Way.ADOPT: "adopted", Way.REVERT: "reverted", Way.IGNORE: "ignored"}


def settle_findings(fleet: Fleet, ids: Sequence[str], said: Said, *, env: str | None, yes: bool) -> int:
    """Every finding named, one after the other, once a person has seen all of them."""
    looked = look(fleet, Wanted(env=env), lambda _line: None)
    findings = chosen(looked.drift, ids)
    require_possible(findings, said)
    for finding in findings:
        print(f"{finding.whose}: {finding.words}\n  {said.way}: {finding.means[said.way].words}")
    if not yes:
        confirm(f"{str(said.way).capitalize()} this?")
    for finding in findings:
        carry_out(fleet, looked, finding, said)
        print(f"{finding.id} {DONE[said.way]}")
    return 0


def unignore(fleet: Fleet, ids: Sequence[str], *, why: str, yes: bool) -> int:
    """Take notes back. Nothing is looked at: what is named may be gone for long."""
    notes = noted_as(fleet.workspace, ids)
    for note in notes:
        print(f"{note.bot or 'not one bot'}: {note.words}\n  ignored by {note.who} since {note.at}: {note.why}")
    if not yes:
        confirm("Tell this again?")
    tell_again(fleet, notes, why=why)
    for note in notes:
        print(f"{note.id} is ignored no more: `botctl drift` tells it where it is still so")
    return 0
