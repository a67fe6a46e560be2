"""`botctl start`: lifts holds and makes bots run."""

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
    """Lift the bots' holds, but for trips, and start those that do not run."""
    fleet = open_fleet(directory, verb="start", progress=tell)
    start(fleet, chosen(fleet, names, everything, exclude), why=why)
