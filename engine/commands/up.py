"""`botctl up`: the fleet as it was applied last, for as long as this command runs; a service manager starts it."""

from __future__ import annotations

from engine.commands.options import Directory, tell
from engine.control.fleet import open_fleet
from engine.control.keeper import keep_up


def command(directory: Directory = None) -> None:
    """Start what was applied last, held bots excepted, and keep it up. SIGTERM or Ctrl-C takes all of it down."""
    keep_up(open_fleet(directory, verb="up", progress=tell))
    print("everything is down")
