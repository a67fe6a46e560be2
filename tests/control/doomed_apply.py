"""An apply in a process of its own that is killed at a chosen step: ROOT LAUNCHER FLEET STEP.

A step is anything that leaves a trace outside the process: a file made, renamed or removed, a lock taken, a socket
connected, a process started. Python tells of each just before it happens (PEP 578), so the product has no hook for
this and no step can be forgotten. Every step is printed.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from engine.control import programs
from engine.control.apply import apply
from engine.control.backends.supervisor import supervisor_backend
from engine.control.fleet import Fleet
from engine.host.workspace import Workspace
from engine.plan.desired import Desired
from tests.plan.fleets import desired, spec

WRITES = os.O_WRONLY | os.O_RDWR
MADE = ("os.rename", "os.symlink", "os.mkdir", "os.remove")
TIMES_MAX = 3
"""Waiting asks the same again and again: that is no new step."""


def first() -> Desired:
    return desired(_bot("eth"), _bot("sol"), _bot("old"))


def second() -> Desired:
    """One bot as it was, one changed in place, one gone and a new one: every kind of step, there and back."""
    return desired(_bot("eth"), _bot("sol", spread_bps="12"), _bot("new"))


FLEETS = {"first": first, "second": second}


def _bot(name: str, **changes: Any) -> Any:
    return spec(name, stop_timeout_s=2, **changes)


class Doom:
    """Counts the steps and ends the process, as kill -9 does, before one of them."""

    def __init__(self, step: int) -> None:
        self._step = step
        self._count = 0
        self._times: Counter[str] = Counter()

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        name = step_of(event, arguments)
        self._times[name] += 1
        if not name or self._times[name] > TIMES_MAX:
            return
        self._count += 1
        os.write(1, f"{self._count} {name}\n".encode())
        if self._count == self._step:
            os.kill(os.getpid(), signal.SIGKILL)


def step_of(event: str, arguments: tuple[Any, ...]) -> str:
    """What a step is called; empty for what leaves no trace."""
    if event == "os.truncate":
        return event
    if event == "os.mkdir" and Path(arguments[0]).exists():
        return ""
    if event in MADE:
        return f"{event} {Path(arguments[1] if event in MADE[:2] else arguments[0]).name}"
    if event == "open" and isinstance(arguments[0], str) and arguments[2] & WRITES:
        return f"open {Path(arguments[0]).name}"
    if event == "socket.connect":
        return f"connect {Path(arguments[1]).name}"
    if event == "http.client.send":
        method = re.search(rb"<methodName>(.*?)</methodName>", bytes(arguments[1]))
        return f"ask for {method[1].decode()}" if method else ""
    return ""


def main(root: str, launcher: str, fleet_name: str, step: str) -> None:
    programs._launcher = lambda _script: launcher
    workspace = Workspace(root=Path(root))
    fleet = Fleet(workspace=workspace, backend=supervisor_backend(workspace), progress=lambda _line: None)
    sys.addaudithook(Doom(int(step)))
    apply(fleet, FLEETS[fleet_name](), lambda _plan: None)


if __name__ == "__main__":
    main(*sys.argv[1:])
