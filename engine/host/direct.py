"""What is run in the foreground although no generation holds it: `.botctl/direct/NAME.json`, while it runs.

It is gone after an end that left nothing. One that is left belongs to a bot that was killed, and is how others
still know its account and markets: `halt`, `drift` and `forget` read it.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.errors import StateDamaged
from engine.host.files import private_directory, read_if_present, write_atomic
from engine.host.generation import AppliedBot
from engine.host.workspace import Workspace


def keep_direct(workspace: Workspace, applied: AppliedBot) -> None:
    """Remember what runs, before it can send anything."""
    private_directory(workspace.direct)
    write_atomic(_file(workspace, applied.spec.name), msgspec.json.encode(applied), durable=True)


def read_direct(workspace: Workspace, bot: str) -> AppliedBot | None:
    """What ran last under this name, and did not end cleanly or still runs; None when nothing did."""
    file = _file(workspace, bot)
    content = read_if_present(file)
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=AppliedBot)
    except msgspec.MsgspecError as error:
        raise StateDamaged(f"{file} cannot be read: {error}", hint="look at the venue, then remove it") from error


def direct_bots(workspace: Workspace) -> tuple[str, ...]:
    """The names of all of them."""
    return tuple(sorted(file.stem for file in workspace.direct.glob("*.json")))


def drop_direct(workspace: Workspace, bot: str) -> None:
    """It ended, and left nothing."""
    _file(workspace, bot).unlink(missing_ok=True)


def _file(workspace: Workspace, bot: str) -> Path:
    return workspace.direct / f"{bot}.json"
