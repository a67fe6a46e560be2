"""`botctl ignore`: what a bot's fills do not explain of its position is somebody else's, for good."""

from __future__ import annotations

from engine.commands.options import Directory, Names, Why, Yes, tell
from engine.commands.settling import settle_all
from engine.control.adoption import Settling
from engine.control.fleet import open_fleet


def command(names: Names = None, directory: Directory = None, yes: Yes = False, why: Why = "") -> None:
    """Leave position that bots (all when none is named) did not trade alone: they trade beside it."""
    fleet = open_fleet(directory, verb="ignore", progress=tell)
    settle_all(fleet, names or (), Settling.IGNORE, price=None, yes=yes, why=why)
