"""Who keeps the fleet up: at most one `botctl up` per workspace, which `down` asks to end before it begins."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.control.fleet import Fleet
from engine.errors import Locked
from engine.host.holders import await_release, verified_holder
from engine.host.locks import Holder, acquire, read_holder
from engine.host.workspace import Workspace


def lock_file(workspace: Workspace) -> Path:
    """Held by the fleet's keeper."""
    return workspace.state / "keeper.lock"


@contextmanager
def only_keeper(workspace: Workspace) -> Iterator[None]:
    """Be the one that keeps this fleet up; Locked when another does."""
    file = lock_file(workspace)
    me = Holder(pid=os.getpid(), bot="up", workspace=str(workspace.root), since_ns=time.time_ns())
    try:
        lock = acquire(file, me)
    except Locked as error:
        holder = read_holder(file)
        who = f" by process {holder.pid}" if holder else ""
        raise Locked(f"this fleet is kept up already{who}", hint="`botctl down` ends it with the fleet") from error
    try:
        yield
    finally:
        lock.release()


def end_keeper(fleet: Fleet, patience_s: float) -> None:
    """Have whoever keeps the fleet up take it down, and wait for that; nothing where nobody does."""
    file = lock_file(fleet.workspace)
    holder = verified_holder(file)
    if holder is None or holder.pid == os.getpid():
        return
    fleet.progress(f"process {holder.pid} keeps this fleet up: it takes it down now")
    with suppress(ProcessLookupError):
        os.kill(holder.pid, signal.SIGTERM)
    if not await_release(file, patience_s):
        fleet.progress(f"process {holder.pid} is not done after {patience_s:.0f} s: going on without it")
