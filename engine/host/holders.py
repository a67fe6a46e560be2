"""Ends the process that holds a lock, once it is certain that it is the one the lock file names."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from engine.errors import Conflict
from engine.host.locks import Holder, is_free, read_holder

POLL_S = 0.02
WRITING_S = 1.0
"""A process that has just taken a lock has written its name into it by then."""
DYING_S = 5.0


def verified_holder(file: Path) -> Holder | None:
    """Who holds the lock now; None when nobody does. Conflict when it is not the process the file names."""
    deadline = time.monotonic() + WRITING_S
    while not is_free(file):
        holder = read_holder(file)
        if holder is not None and _has_open(holder.pid, file):
            return holder
        if time.monotonic() > deadline:
            raise Conflict(f"{file} is held, but not by the process it names", hint=f"lsof {file} tells by whom")
        time.sleep(POLL_S)
    return None


def await_release(file: Path, patience_s: float) -> bool:
    """Whether the lock became free in time."""
    deadline = time.monotonic() + patience_s
    while not is_free(file):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def kill_holder(file: Path) -> None:
    """End whoever holds the lock at once, also one that is frozen (SIGSTOP); Conflict when it does not die."""
    holder = verified_holder(file)
    if holder is None:
        return
    with suppress(ProcessLookupError):
        os.kill(holder.pid, signal.SIGKILL)
    if not await_release(file, DYING_S):
        raise Conflict(
            f"process {holder.pid} of {holder.bot} does not die and keeps its lock",
            hint="it hangs in the kernel, for example on a dead network disk",
        )


def _has_open(pid: int, file: Path) -> bool:
    """Whether the process has the lock's file open; where the system does not tell, whether it is one of ours."""
    if not sys.platform.startswith("linux"):
        shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)
        return b"botctl" in shown.stdout
    wanted = file.stat()
    for handle in _handles(pid):
        with suppress(OSError):
            found = handle.stat()
            if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                return True
    return False


def _handles(pid: int) -> list[Path]:
    with suppress(OSError):
        return list(Path(f"/proc/{pid}/fd").iterdir())
    return []
