"""What a watch says of itself, and what people say to it: two files in `.botctl/watch/`.

`status.json` is written by the watch alone, `wishes.json` by `botctl watch suspend` and `resume` alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

import msgspec

from engine.control.fleet import caller
from engine.errors import Locked, StateDamaged
from engine.host.files import private_directory, read_if_present, write_atomic
from engine.host.locks import exclusive, is_free
from engine.host.workspace import Workspace
from engine.model.value import Value


class Result(StrEnum):
    """How the newest commit stands."""

    APPLIED = "applied"
    REFUSED = "refused"
    """The commit cannot be applied, whoever asks: another commit is needed."""
    WAITING = "waiting"
    """A person is needed."""
    FAILED = "failed"
    """It did not work, and is tried again."""
    UNREACHABLE = "unreachable"
    """The repository does not answer: what is in force stays."""


class WatchStatus(Value, frozen=True, kw_only=True):
    """How a branch stands. `since` is when it came to stand so, `applied_commit` the last that was made true,
    `own_generation` what the watch itself left in force when it tried `own_commit`."""

    repo: str
    branch: str
    result: Result
    why: str = ""
    hint: str = ""
    commit: str | None = None
    subject: str = ""
    applied_commit: str | None = None
    own_commit: str | None = None
    own_generation: int | None = None
    generation: int | None = None
    since: str = ""
    checked_at: str = ""
    attempts: int = 0
    next_try_at: str | None = None
    suspended: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """One line for people."""
        at = f"{self.commit[:12]} " if self.commit else ""
        why = f": {': '.join(self.why.splitlines()[:2])}" if self.why else ""
        held = f"; suspended: {', '.join(self.suspended)}" if self.suspended else ""
        return f"watch: {at}of {self.branch} {self.result} since {self.since}{why}{held}"

    @property
    def news(self) -> tuple[str, str | None, str]:
        """What a report is about: while it stays the same, nobody is told again."""
        return (self.result, self.commit, self.why)


class Suspension(Value, frozen=True, kw_only=True):
    """Who left something out of the watch, since when, and why."""

    who: str
    since: str
    why: str = ""

    @property
    def words(self) -> str:
        return f"by {self.who} since {self.since}" + (f": {self.why}" if self.why else "")


class Wishes(Value, frozen=True, kw_only=True):
    """What people asked for. `acknowledged` is a generation over which the watch may go on, whoever made it."""

    everything: Suspension | None = None
    bots: dict[str, Suspension] = {}
    acknowledged: int | None = None


def read_status(workspace: Workspace) -> WatchStatus | None:
    """None before the first round, and for what an earlier version left there that cannot be read."""
    content = read_if_present(workspace.watch / "status.json")
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=WatchStatus)
    except msgspec.MsgspecError:
        return None


def lock_file(workspace: Workspace) -> Path:
    """Held by the fleet's watch."""
    return workspace.watch / "lock"


def forget(workspace: Workspace) -> bool:
    """Put away what a watch that has ended left: how its branch stood, and its copy of the repository. What people
    asked for stays. Locked while a watch runs; False when there was nothing."""
    if not is_free(lock_file(workspace)):
        raise Locked("a watch runs here", hint="end it first, or take `watch:` out of bots/fleet.yaml and apply")
    status = workspace.watch / "status.json"
    if not status.exists():
        return False
    for folder in ("repository", "tree"):
        shutil.rmtree(workspace.watch / folder, ignore_errors=True)
    status.unlink(missing_ok=True)
    return True


def write_status(workspace: Workspace, status: WatchStatus) -> None:
    document = msgspec.json.format(msgspec.json.encode(status), indent=2) + b"\n"
    write_atomic(workspace.watch / "status.json", document)


def read_wishes(workspace: Workspace) -> Wishes:
    """StateDamaged when they cannot be read: that must not read as `nothing is suspended`."""
    file = workspace.watch / "wishes.json"
    content = read_if_present(file)
    if content is None:
        return Wishes()
    try:
        return msgspec.json.decode(content, type=Wishes)
    except msgspec.MsgspecError as error:
        raise StateDamaged(
            f"{file} cannot be read: {error}", hint="remove it, then `botctl watch suspend` what should wait"
        ) from error


def suspend(workspace: Workspace, bots: Collection[str], *, why: str, at: str) -> None:
    """Leave these bots out of the watch; everything when none is named."""
    mark = Suspension(who=caller(), since=at, why=why)
    with _writing(workspace) as wishes:
        if bots:
            changed = msgspec.structs.replace(wishes, bots={**wishes.bots, **dict.fromkeys(bots, mark)})
        else:
            changed = msgspec.structs.replace(wishes, everything=mark)
        _write(workspace, changed)


def resume(workspace: Workspace, bots: Collection[str], *, generation: int | None) -> None:
    """Take these bots back; when none is named everything, over whatever is in force now."""
    with _writing(workspace) as wishes:
        if bots:
            left = {name: mark for name, mark in wishes.bots.items() if name not in bots}
            _write(workspace, msgspec.structs.replace(wishes, bots=left))
        else:
            _write(workspace, Wishes(acknowledged=generation))


@contextmanager
def _writing(workspace: Workspace) -> Iterator[Wishes]:
    """The wishes as they are until this is left: two people may say something at once."""
    with exclusive(private_directory(workspace.watch) / "wishes.lock"):
        yield read_wishes(workspace)


def _write(workspace: Workspace, wishes: Wishes) -> None:
    write_atomic(workspace.watch / "wishes.json", msgspec.json.encode(wishes), durable=True)
