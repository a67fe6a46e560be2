"""Says which bots without a process left orders at the venue: a crash before a stop leaves nobody to cancel."""

from __future__ import annotations

import os
from collections.abc import Iterable

from engine.errors import BotctlError
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.runtime.remains import orders_left
from engine.spec.types import BotSpec


def remains_of(workspace: Workspace, fleet_id: str, specs: Iterable[BotSpec]) -> dict[str, str]:
    """What may still rest, in words, by bot; only of bots that have a journal."""
    found = {}
    for spec in specs:
        if any((workspace.journals / spec.name).glob("*.sqlite")) and (words := _words(workspace, fleet_id, spec)):
            found[spec.name] = words
    return found


def _words(workspace: Workspace, fleet_id: str, spec: BotSpec) -> str:
    try:
        left = orders_left(workspace, spec, fleet_id=fleet_id, secrets=Secrets(workspace, shell=os.environ))
    except BotctlError as error:
        return f"whether its orders still rest cannot be told: {error.message}"
    return f"{left} of its orders may still rest at the venue" if left else ""
