"""Remembers that a bot ended as declared (`duration_s`): a finished bot is not drift and is not started again
until its spec means something else or a person starts it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.host.files import read_if_present, write_atomic
from engine.host.workspace import Workspace
from engine.model.value import Value


class Finished(Value, frozen=True, kw_only=True):
    """The normal end of one bot, and the meaning it had then."""

    bot: str
    fingerprint: str
    at_ns: int
    why: str


def mark_finished(workspace: Workspace, finished: Finished) -> None:
    write_atomic(_file(workspace, finished.bot), msgspec.json.encode(finished))


def read_finished(workspace: Workspace, bot: str) -> Finished | None:
    """The bot's normal end. A damaged marker counts as none: the bot then runs its duration again."""
    content = read_if_present(_file(workspace, bot))
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=Finished)
    except msgspec.MsgspecError:
        return None


def clear_finished(workspace: Workspace, bot: str) -> None:
    _file(workspace, bot).unlink(missing_ok=True)


def _file(workspace: Workspace, bot: str) -> Path:
    return workspace.finished / f"{bot}.json"
