"""`botctl down`: everything stops, nothing is held; `make demo-stop` calls it."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.commands.options import Directory, tell
from engine.control.down import take_down
from engine.control.fleet import open_fleet


def command(
    directory: Directory = None,
    wait_s: Annotated[
        float,
        typer.Option("--wait", metavar="SECONDS", min=0, help="how long to wait for a command that holds the lock"),
    ] = 0,
) -> None:
    """Stop all bots by their stop procedure, then the simulators, then supervisord. `apply` starts all again."""
    take_down(open_fleet(directory, verb="down", progress=tell), wait_s=wait_s)
    print("everything is down; `botctl apply` starts it again")
