"""`botctl unlock`: takes away a lock that nobody can judge from here, when a person has looked."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.commands.options import Directory, tell
from engine.control.fleet import open_fleet
from engine.control.lock import unlock
from engine.errors import UsageError


def command(
    directory: Directory = None,
    why: Annotated[
        str, typer.Option("--why", help="how you know that its holder is gone; kept in the audit log")
    ] = "",
) -> None:
    """Release the fleet's lock for a holder that is certainly gone; refused while it lives on this host."""
    if not why.strip():
        raise UsageError(
            "say how you know that the holder is gone: --why REASON", hint="it is kept in the audit log"
        )
    fleet = open_fleet(directory, verb="unlock", progress=tell)
    gone = unlock(fleet.workspace, why=why)
    print(f"released: it was held by {gone.words}" if gone else "nobody holds the lock")
