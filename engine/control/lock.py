"""One writer per workspace: whoever changes the fleet holds this lock, which dies with its process.

The OS lock decides between processes of one host. The name in the file decides where that cannot see: on a disk
that several hosts share, what another host has written is never judged from here; a person does, with `unlock`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from pathlib import Path

import msgspec

from engine.clock import iso_utc
from engine.control.audit import record
from engine.control.fleet import caller
from engine.errors import Locked
from engine.host.files import PRIVATE_FILE
from engine.host.locks import is_free, take
from engine.host.machine import host_name, machine_digest
from engine.host.process import start_of
from engine.host.workspace import Workspace
from engine.model.value import Value

READ_MAX = 4096
NAMING_S = 0.2


class Writer(Value, frozen=True, kw_only=True):
    """Who changes the fleet; written into the lock file for whoever comes second, and taken out at the end.

    The defaults are what earlier versions did not write.
    """

    verb: str
    who: str
    pid: int
    since: str
    host: str = ""
    machine: str = ""
    started: str = ""
    """When its process began: a pid is used again, this is not."""
    plan: str = ""

    @property
    def words(self) -> str:
        where = f"process {self.pid}{f' on {self.host}' if self.host else ''}, since {self.since}"
        return f"`botctl {self.verb}` of {self.who} ({where})" + (f": {self.plan}" if self.plan else "")


class Standing(Enum):
    """What can be said from here about a writer whose name stands in the file."""

    LIVES = auto()
    ENDED = auto()
    ELSEWHERE = auto()


class WriterLock:
    """The right to change the fleet, while it lasts."""

    def __init__(self, handle: int, writer: Writer) -> None:
        self._handle = handle
        self._writer = writer

    def carries(self, plan: str) -> None:
        """Let others know what is being done."""
        self._writer = msgspec.structs.replace(self._writer, plan=plan[:200])
        _write(self._handle, msgspec.json.encode(self._writer))


@contextmanager
def writer_lock(workspace: Workspace, verb: str) -> Iterator[WriterLock]:
    """Hold the right to change this fleet, or raise Locked naming who has it."""
    with _opened(workspace) as handle:
        _require_free(handle)
        lock = WriterLock(handle, _myself(verb))
        lock.carries("")
        try:
            yield lock
        finally:
            _write(handle, b"")


def unlock(workspace: Workspace, *, why: str) -> Writer | None:
    """Take out the name of a writer that is gone; None when there is none. Locked while it lives, as far as this
    host can tell."""
    if not lock_file(workspace).exists():
        return None
    with _opened(workspace) as handle:
        is_ours = take(handle)
        writer = _read(handle)
        if not is_ours or (writer and standing(writer) is Standing.LIVES):
            raise _locked(writer, hint="it lives: wait until it is done, or end that process")
        if writer:
            record(workspace, "unlock", result="done", why=why, of=writer.words)
            _write(handle, b"")
        return writer


def writing(workspace: Workspace) -> Writer | None:
    """Who changes the fleet now, as far as can be told; None when nobody does."""
    file = lock_file(workspace)
    if not file.exists():
        return None
    is_held = not is_free(file)
    writer = _decode(file.read_bytes())
    return writer if writer and (is_held or standing(writer) is not Standing.ENDED) else None


def standing(writer: Writer) -> Standing:
    """Judged by when its process began, never by age. An earlier version's name says nothing beyond its OS lock."""
    if not writer.host:
        return Standing.ENDED
    if (writer.host, writer.machine) != (host_name(), machine_digest()):
        return Standing.ELSEWHERE
    return Standing.LIVES if start_of(writer.pid) == writer.started else Standing.ENDED


def lock_file(workspace: Workspace) -> Path:
    return workspace.state / "writer.lock"


@contextmanager
def _opened(workspace: Workspace) -> Iterator[int]:
    handle = os.open(lock_file(workspace), os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        yield handle
    finally:
        os.close(handle)


def _require_free(handle: int) -> None:
    if not take(handle):
        hint = "wait until it is done, or end that process; the lock goes with it"
        raise _locked(_read_soon(handle), hint=hint)
    writer = _read(handle)
    known = standing(writer) if writer else Standing.ENDED
    if known is Standing.LIVES:
        raise _locked(writer, hint="wait until it is done, or end that process")
    if writer and known is Standing.ELSEWHERE:
        raise _locked(
            writer,
            hint=f"whether it still runs cannot be judged from here: look on {writer.host}; "
            "once it is certainly gone: botctl unlock --why REASON",
        )


def _locked(writer: Writer | None, *, hint: str) -> Locked:
    return Locked(f"{writer.words if writer else 'another command'} is changing this fleet", hint=hint)


def _myself(verb: str) -> Writer:
    return Writer(
        verb=verb,
        who=caller(),
        pid=os.getpid(),
        since=iso_utc(time.time_ns()),
        host=host_name(),
        machine=machine_digest(),
        started=start_of(os.getpid()) or "",
    )


def _read(handle: int) -> Writer | None:
    return _decode(os.pread(handle, READ_MAX, 0))


def _read_soon(handle: int) -> Writer | None:
    """Who has taken the lock at this very moment is still writing its name."""
    deadline = time.monotonic() + NAMING_S
    while (writer := _read(handle)) is None and time.monotonic() < deadline:
        time.sleep(NAMING_S / 20)
    return writer


def _decode(content: bytes) -> Writer | None:
    with suppress(msgspec.MsgspecError):  # Empty, or torn: nobody is named, and the OS lock decides alone.
        return msgspec.json.decode(content, type=Writer)
    return None


def _write(handle: int, content: bytes) -> None:
    with suppress(OSError):  # A full disk: the OS lock counts all the same.
        os.ftruncate(handle, os.pwrite(handle, content, 0))
