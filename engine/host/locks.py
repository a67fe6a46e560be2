"""One runner per account and market (law 5): an OS lock that dies with its holder and with nothing else.

The lock file stays when it is released: removing it would let two processes lock two files of one name.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from engine.clock import iso_utc
from engine.errors import Locked
from engine.model.value import Value


class Holder(Value, frozen=True, kw_only=True):
    """Who holds a lock; written into the lock file for whoever comes second."""

    pid: int
    bot: str
    workspace: str
    since_ns: int
    passing: bool = False
    """Held only until the bot's orders are gone: whoever wants to run it may wait."""


def this_process(bot: str, root: Path, since_ns: int, *, passing: bool = False) -> Holder:
    """Ourselves, as lock files name us."""
    return Holder(pid=os.getpid(), bot=bot, workspace=str(root), since_ns=since_ns, passing=passing)


class RunnerLock:
    """The right to trade one market of one account; keep the object for as long as that lasts."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def release(self) -> None:
        os.close(self._handle)


def runner_lock_file(account_directory: Path, market: str) -> Path:
    return account_directory / f"lock-{market.replace('/', '%2F')}"


def acquire(file: Path, holder: Holder) -> RunnerLock:
    """Take the lock at once, or raise Locked naming who has it."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    if not take(handle):
        os.close(handle)
        raise _locked(file)
    name = msgspec.json.encode(holder)
    # Written first: a full disk takes what lies in a block it has.
    os.ftruncate(handle, os.pwrite(handle, name, 0))
    return RunnerLock(handle)


def take(handle: int) -> bool:
    """Whether the lock is ours now. Where a shared lock fits, nobody has it and somebody only looked with
    `is_free`: that is tried again."""
    while not _try(handle, fcntl.LOCK_EX):
        if not _try(handle, fcntl.LOCK_SH):
            return False
    return True


def read_holder(file: Path) -> Holder | None:
    """Who wrote into the lock file last; None when nobody did. `is_free` tells whether it still counts."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Holder)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def is_free(file: Path) -> bool:
    """Whether nobody holds the lock at this moment."""
    if not file.exists():
        return True
    with file.open("rb") as content:
        return _try(content.fileno(), fcntl.LOCK_SH)


@contextmanager
def exclusive(file: Path) -> Iterator[None]:
    """Wait for a short critical section between processes, e.g. around a registry's read and write."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _try(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _locked(file: Path) -> Locked:
    holder = read_holder(file)
    if holder is None:
        return Locked(f"another process holds {file}")
    return Locked(
        f"{holder.bot} already runs on this account and market: process {holder.pid} of {holder.workspace}, "
        f"since {iso_utc(holder.since_ns)}",
        hint=f"stop it there first: botctl -C {holder.workspace} stop {holder.bot}",
    )
