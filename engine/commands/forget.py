"""`botctl forget`: puts aside what is remembered of a bot that nobody declares any more."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.commands.consent import confirm
from engine.commands.options import Directory, Why, Yes, tell
from engine.control.fleet import open_fleet
from engine.control.forgetting import FORGET, forget, remembered
from engine.errors import UsageError


def command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="a bot that no file declares")],
    directory: Directory = None,
    purge: Annotated[bool, typer.Option("--purge", help="delete it instead of archiving it")] = False,
    accept: Annotated[
        str, typer.Option("--accept", metavar="forget", help="although orders or a position may be left")
    ] = "",
    yes: Yes = False,
    why: Why = "",
) -> None:
    """Archive the bot's journals, logs, hold and marks, and give its owner tags back."""
    if accept not in ("", FORGET):
        raise UsageError(f"--accept {accept} is no risk of this verb", hint=f"--accept {FORGET}")
    fleet = open_fleet(directory, verb="forget", progress=tell)
    for thing in remembered(fleet.workspace, name):
        print(thing.relative_to(fleet.workspace.state))
    if not yes:
        confirm(f"{'Delete' if purge else 'Archive'} all this?")
    place = forget(fleet, name, accepted={accept} - {""}, purge=purge, why=why)
    print(f"{name} is forgotten" if place is None else f"{name} is forgotten; its things are in {place}")
