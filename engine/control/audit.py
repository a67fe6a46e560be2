"""The append-only record of who did what to the fleet, when, why, with which botctl, and how it ended.

Every line is chained to the one before it (`engine.control.chain`). It is for people who must answer for a fleet;
nothing in botctl decides by it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from engine import __version__
from engine.clock import iso_utc
from engine.control.chain import END, from_last_entry, seal
from engine.control.fleet import caller
from engine.errors import BotctlError, Locked, StateDamaged
from engine.host.files import PRIVATE_FILE
from engine.host.generation import kept_generations, read_fleet
from engine.host.workspace import Workspace

Fact = str | int | list[str] | None

PATIENCE_S = 1.0
"""Another writer needs a millisecond; one that is frozen in between must not keep a kill switch waiting."""
POLL_S = 0.01
BLOCK = 1 << 16


def record(workspace: Workspace, what: str, **facts: Fact) -> None:
    """Add one line, on disk for good. Facts that are None or empty are left out, zero is not."""
    said = {name: value for name, value in facts.items() if value not in (None, "", [])}
    entry = {"at": iso_utc(time.time_ns()), "who": caller(), "version": __version__, "what": what, **said}
    handle = os.open(workspace.audit_log, os.O_RDWR | os.O_APPEND | os.O_CREAT, PRIVATE_FILE)
    try:
        _lock(handle)
        before, lines = _end_of(handle)
        if from_last_entry(before) is None:
            before = _genesis(workspace, before, entry)
            lines += before
        _append(handle, lines + seal(before, entry))
    finally:
        os.close(handle)


def note(workspace: Workspace, what: str, **facts: Fact) -> None:
    """As `record`, for what must be done also when it cannot be written down."""
    with suppress(OSError, Locked):
        record(workspace, what, **facts)


@contextmanager
def recorded(
    workspace: Workspace, what: str, *, write: Callable[..., None] = record, **facts: Fact
) -> Iterator[None]:
    """Write that something begins, and how it ended. A process that is killed leaves the first line alone."""
    write(workspace, what, result="begun", **facts)
    brief = {name: value for name, value in facts.items() if name != "actions"}
    try:
        yield
    except BotctlError as error:
        write(workspace, what, result="failed", error=error.message, **brief)
        raise
    except KeyboardInterrupt:
        write(workspace, what, result="interrupted", **brief)
        raise
    write(workspace, what, result="done", **brief)


def _lock(handle: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Locked(
                    "another process has held the audit log for too long",
                    hint="it is frozen, or the disk is: `lsof .botctl/audit.jsonl` names it",
                ) from None
        time.sleep(POLL_S)


def _end_of(handle: int) -> tuple[bytes, bytes]:
    """The log from its last entry on (all of it when there is none), and the newline that a torn line lacks."""
    size, block = os.fstat(handle).st_size, BLOCK
    while True:
        content = os.pread(handle, block, max(0, size - block))
        end = from_last_entry(content)
        if end is not None or block >= size:
            break
        block *= 2
    end = content if end is None else end
    mending = END if end and not end.endswith(END) else b""
    return end + mending, mending


def _genesis(workspace: Workspace, before: bytes, entry: Mapping[str, Fact]) -> bytes:
    """The line a chain begins with. For what stood there before, it vouches only from now on."""
    known = {name: entry[name] for name in ("at", "who", "version")}
    told = {"what": "begin", "fleet": _fleet_id(workspace), "unchained_lines": before.count(END)}
    return seal(before, {**known, **told})


def _fleet_id(workspace: Workspace) -> str | None:
    """None before the first generation, and where that cannot be read."""
    with suppress(StateDamaged):
        for number in kept_generations(workspace)[-1:]:
            return read_fleet(workspace, number).id
    return None


def _append(handle: int, lines: bytes) -> None:
    """Whole or not at all, as far as this process lives; a disk that takes only a part takes nothing."""
    size = os.fstat(handle).st_size
    if os.write(handle, lines) < len(lines):
        os.ftruncate(handle, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(handle)
