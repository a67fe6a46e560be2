"""`botctl stop`: out of the fleet's hands until a person starts it again."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.commands.options import All, Directory, Exclude, Names, tell
from engine.commands.selection import chosen
from engine.control.fleet import open_fleet
from engine.control.lifecycle import stop


def command(
    names: Names = None,
    directory: Directory = None,
    everything: All = False,
    exclude: Exclude = None,
    why: Annotated[
        str, typer.Option("--why", help="kept with the hold, shown in plan and status")
    ] = "stopped by hand",
) -> None:
    """Cancel the bots' orders, stop them, and hold them over apply, restart and reboot."""
    fleet = open_fleet(directory, verb="stop", progress=tell)
    stop(fleet, chosen(fleet, names, everything, exclude), why=why)
