"""`botctl restart`: stop and start, with what was applied last."""

from __future__ import annotations

from engine.commands.options import All, Directory, Exclude, Names, Why, tell
from engine.commands.selection import chosen
from engine.control.fleet import open_fleet
from engine.control.lifecycle import restart


def command(
    names: Names = None,
    directory: Directory = None,
    everything: All = False,
    exclude: Exclude = None,
    why: Why = "",
) -> None:
    """Stop bots by their stop procedure and start them again; held bots stay held."""
    fleet = open_fleet(directory, verb="restart", progress=tell)
    restart(fleet, chosen(fleet, names, everything, exclude), why=why)
