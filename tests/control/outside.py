"""What tests of control see of a fleet from outside, and the processes of Python that they set on it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from engine.control.fleet import Fleet
from engine.control.observe import observe
from engine.host.process import start_of
from engine.plan.observed import Engine

ROOT = Path(__file__).parents[2]
DEADLINE_S = 20


def pids(fleet: Fleet) -> dict[str, int]:
    """The processes of all engines that answer."""
    return {name: engine.pid for name, engine in observe(fleet).engines.items() if isinstance(engine, Engine)}


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not what():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


def runs(pid: int) -> bool:
    """A process that ended and that nobody has waited for does not run."""
    return start_of(pid) is not None


def run_module(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    """`python -m` of this checkout, to its end."""
    return subprocess.run(
        [sys.executable, "-m", name, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
