"""Bots without a process that left orders at the venue: a crash before a stop leaves nobody to cancel."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor

from engine.errors import BotctlError
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.runtime.remains import orders_left
from engine.spec.types import BotSpec

CLEANERS_MAX = 4


def clear_remains(workspace: Workspace, bots: Collection[str]) -> None:
    """Cancel what bots left whose applied specs are about to go, as the sentinel would; what came of it is for
    `remains_of` to say."""
    with ThreadPoolExecutor(CLEANERS_MAX) as cleaners:
        list(cleaners.map(lambda bot: _clear(workspace, bot), bots))


def remains_of(workspace: Workspace, fleet_id: str, specs: Iterable[BotSpec]) -> dict[str, str]:
    """What may still rest, in words, by bot; only of bots that have a journal."""
    found = {}
    for spec in specs:
        if any((workspace.journals / spec.name).glob("*.sqlite")) and (words := _words(workspace, fleet_id, spec)):
            found[spec.name] = words
    return found


def _clear(workspace: Workspace, bot: str) -> None:
    """In a process of its own, which gives up by itself and writes the bot's own log."""
    command = [sys.executable, "-P", "-m", "engine.runtime.sentinel", str(workspace.state), bot]
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)


def _words(workspace: Workspace, fleet_id: str, spec: BotSpec) -> str:
    try:
        left = orders_left(workspace, spec, fleet_id=fleet_id, secrets=Secrets(workspace, shell=os.environ))
    except BotctlError as error:
        return f"whether its orders still rest cannot be told: {error.message}"
    return f"{left} of its orders may still rest at the venue" if left else ""
