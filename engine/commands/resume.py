"""`botctl resume`: as start, and the only verb that lifts the hold of a bot that tripped."""

from __future__ import annotations

from engine.commands.options import All, Directory, Exclude, Names, Why, tell
from engine.commands.selection import chosen
from engine.control.fleet import open_fleet
from engine.control.lifecycle import start


def command(
    names: Names = None,
    directory: Directory = None,
    everything: All = False,
    exclude: Exclude = None,
    why: Why = "",
) -> None:
    """Lift the bots' holds, trips too; a paused bot quotes again, one that is down starts."""
    fleet = open_fleet(directory, verb="resume", progress=tell)
    start(fleet, chosen(fleet, names, everything, exclude), lift_trips=True, why=why)
