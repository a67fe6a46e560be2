"""One writer per workspace: whoever changes the fleet holds this lock, which dies with its process."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from engine.clock import iso_utc
from engine.control.fleet import caller
from engine.errors import Locked
from engine.host.files import PRIVATE_FILE
from engine.host.workspace import Workspace


@contextmanager
def writer_lock(workspace: Workspace, verb: str) -> Iterator[None]:
    """Hold the right to change this fleet, or raise Locked naming who has it."""
    handle = os.open(workspace.state / "writer.lock", os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _locked(handle) from None
        holder = {"verb": verb, "pid": os.getpid(), "who": caller(), "since": iso_utc(time.time_ns())}
        with suppress(OSError):  # A full disk: the lock counts, the name is a courtesy.
            os.ftruncate(handle, os.pwrite(handle, json.dumps(holder).encode(), 0))
        yield
    finally:
        os.close(handle)


def _locked(handle: int) -> Locked:
    hint = "wait until it is done, or end that process; the lock goes with it"
    try:
        holder = json.loads(os.pread(handle, 4096, 0))
        words = "`botctl {verb}` of {who} (process {pid}, since {since}) is changing this fleet".format(**holder)
    except (ValueError, KeyError, TypeError):
        words = "another command is changing this fleet"
    return Locked(words, hint=hint)
