"""`botctl unit`: what starts the fleet with its host. Prints it; installing it is the host's owner's business."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.commands.options import Directory
from engine.control.fleet import open_view
from engine.control.service_unit import Manager, Unit, service_unit
from engine.errors import Refused, UsageError

_OURS = ("Written by `botctl unit`", "<string>botctl.")


def command(
    directory: Directory = None,
    user: Annotated[bool, typer.Option("--user", help="for systemd of this user, without root")] = False,
    launchd: Annotated[bool, typer.Option("--launchd", help="a job for launchd of macOS")] = False,
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="PATH", help="to a file, or under its own name to a folder"),
    ] = None,
) -> None:
    """Print the systemd unit that starts this fleet with its host and drains it before the host goes down."""
    if user and launchd:
        raise UsageError("--user is systemd's, --launchd is another service manager's", hint="choose one")
    manager = Manager.LAUNCHD if launchd else Manager.SYSTEMD_USER if user else Manager.SYSTEMD
    unit = service_unit(open_view(directory, verb="unit").workspace, manager)
    if write is None:
        sys.stdout.write(unit.text)
    else:
        print(f"wrote {_write(unit, write)}")


def _write(unit: Unit, where: Path) -> Path:
    """The file that was written; Refused over a file that `botctl unit` did not write."""
    place = where / unit.name if where.is_dir() else where
    if place.exists() and not any(mark in place.read_text(encoding="utf-8") for mark in _OURS):
        raise Refused(f"{place} was written by somebody else", hint="name another file, or move that one away")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(unit.text, encoding="utf-8")
    return place
