"""`botctl down`: everything stops, nothing is held; `make demo-stop` calls it."""

from __future__ import annotations

from engine.commands.options import Directory, tell
from engine.control.down import take_down
from engine.control.fleet import open_fleet


def command(directory: Directory = None) -> None:
    """Stop all bots by their stop procedure, then the simulators, then supervisord. `apply` starts all again."""
    take_down(open_fleet(directory, verb="down", progress=tell))
    print("everything is down; `botctl apply` starts it again")
