"""`botctl start`: lifts holds and makes bots run."""

from __future__ import annotations

from engine.commands.options import All, Directory, Names, Why, tell
from engine.commands.selection import chosen
from engine.control.fleet import open_fleet
from engine.control.lifecycle import start


def command(names: Names = None, directory: Directory = None, everything: All = False, why: Why = "") -> None:
    """Lift the bots' holds, but for trips, and start those that do not run."""
    start(open_fleet(directory, verb="start", progress=tell), chosen(names, everything), why=why)
