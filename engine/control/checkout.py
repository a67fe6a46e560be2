"""One running checkout per fleet id and user: two copies of a repository must not both start its bots."""

from __future__ import annotations

import os
from pathlib import Path

from engine.control.backends.interface import Absent
from engine.control.backends.supervisor import supervisor_backend
from engine.errors import BotctlError, Conflict
from engine.host.accounts import host_directory
from engine.host.files import private_directory, read_if_present, write_atomic
from engine.host.locks import exclusive
from engine.host.workspace import Workspace


def claim(workspace: Workspace, fleet_id: str) -> None:
    """Make this folder the fleet's; Conflict while another folder's supervisor still runs."""
    folder = private_directory(host_directory() / "fleets")
    file = folder / fleet_id
    with exclusive(folder / ".lock"):
        known = read_if_present(file)
        first = Path(os.fsdecode(known)) if known else workspace.root
        if first.resolve() != workspace.root.resolve() and _is_running(Workspace(root=first)):
            raise Conflict(
                f"fleet {fleet_id!r} already runs from {first}",
                hint=f"take it down there (botctl -C {first} down), or give this one another id in bots/fleet.yaml",
            )
        write_atomic(file, os.fsencode(workspace.root))


def _is_running(other: Workspace) -> bool:
    """Whether a supervisor works there; one that does not answer counts, because nothing is known of it."""
    try:
        supervisor_backend(other).observe()
    except Absent:
        return False
    except BotctlError:
        return True
    return True
