"""What apply does about bots that go on under another name, beside stopping the one and starting the other.

Journal and owner tags are taken over by the new engine when it starts, under the old one's lock; here is only what
must be so before: that it is the same bot, and that whoever held the old one holds the new one.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from engine.errors import Refused
from engine.host.holds import place_hold, read_hold
from engine.host.workspace import Workspace
from engine.plan.renames import Rename


def require_renamable(workspace: Workspace, renames: Iterable[Rename]) -> None:
    """Refused before anything is done: a journal that is not taken over would be a forgotten position."""
    for one in renames:
        why_not = one.why_not or _has_memory(workspace, one.new)
        if why_not:
            raise Refused(
                f"{one.old} cannot be renamed to {one.new}: {why_not}",
                hint="a rename changes the name and nothing that the journal speaks of; leave renamed_from out if "
                f"{one.new} is another bot",
            )


def carry_holds(workspace: Workspace, renames: Iterable[Rename]) -> None:
    """Before the generation is switched: a held bot does not begin to trade by being renamed."""
    for one in renames:
        hold = read_hold(workspace, one.old)
        if hold is not None and read_hold(workspace, one.new) is None:
            place_hold(workspace, replace(hold, bot=one.new))


def _has_memory(workspace: Workspace, bot: str) -> str:
    has_journal = any((workspace.journals / bot).glob("*.sqlite"))
    return f"{bot} has a journal of its own; `botctl forget {bot}` puts it aside" if has_journal else ""
