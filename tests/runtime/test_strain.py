"""Limits on what a bot may use of the host: judged in told time, acted upon by a real engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from engine.host.holds import HoldKind, read_hold
from engine.host.workspace import Workspace
from engine.runtime.relief import Relief
from engine.runtime.strain import CPU_WINDOW_S, Strain, Usage, read_usage
from engine.spec.types import BotSpec, OnLimit, ProcessSpec
from tests.fleets import PROCESS, bot_spec
from tests.runtime.conftest import Stage, until

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="read from /proc")


def limited(**limits: object) -> ProcessSpec:
    return msgspec.structs.replace(PROCESS, **limits)


def usage(at_s: float, *, memory_mb: float = 50, cpu_s: float = 0, pid: int = 1) -> Usage:
    return Usage(pid=pid, memory_mb=memory_mb, cpu_s=cpu_s, at_s=at_s)


def test_memory_is_judged_at_once() -> None:
    process = limited(max_memory_mb=64)
    assert Strain().complaint("maker", usage(0, memory_mb=64), process) == ""
    assert "65 MB of memory, more than max_memory_mb 64" in Strain().complaint(
        "maker", usage(0, memory_mb=65), process
    )


def test_processor_time_is_judged_over_a_window_of_one_process() -> None:
    strain, process = Strain(), limited(max_cpu_pct=50)
    assert strain.complaint("maker", usage(0), process) == ""
    assert strain.complaint("maker", usage(10, cpu_s=10), process) == "", "a busy moment is no strain"
    assert strain.complaint("maker", usage(CPU_WINDOW_S, cpu_s=10), process) == ""
    again = strain.complaint("maker", usage(2 * CPU_WINDOW_S, cpu_s=28), process)
    assert again == "it used 60 % of a processor for 30 s, more than max_cpu_pct 50"
    assert strain.complaint("maker", usage(3 * CPU_WINDOW_S, cpu_s=100, pid=2), process) == "", "another process"


def test_usage_is_read_from_outside_and_a_process_that_is_gone_uses_nothing() -> None:
    mine = read_usage(os.getpid(), 1.0)
    assert mine is not None and mine.memory_mb > 10 and mine.cpu_s > 0
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert read_usage(child.pid, 1.0) is None


def engine_over_its_limit(stage: Stage, on_limit: OnLimit) -> tuple[subprocess.Popen[str], Relief, BotSpec]:
    spec = msgspec.structs.replace(bot_spec(), process=limited(max_memory_mb=1, on_limit=on_limit))
    stage.apply(spec)
    stage.simulate()
    engine = stage.engine()
    until(lambda: stage.leg().get("orders") == 6)
    return engine, Relief(stage.workspace), spec


def test_a_bot_over_its_limit_ends_in_order_and_as_a_failure_so_that_it_is_started_again(stage: Stage) -> None:
    engine, relief, spec = engine_over_its_limit(stage, OnLimit.RESTART)
    relief.look("maker", spec.process, 0.0)
    _, words = engine.communicate(timeout=30)
    assert (engine.returncode, "to be started again: it uses" in words) == (1, True)
    assert read_hold(stage.workspace, "maker") is None


def test_a_bot_over_its_limit_is_paused_where_that_is_declared(stage: Stage) -> None:
    engine, relief, spec = engine_over_its_limit(stage, OnLimit.PAUSE)
    relief.look("maker", spec.process, 0.0)
    until(lambda: stage.leg()["orders"] == 0)
    hold = read_hold(stage.workspace, "maker")
    assert hold is not None and (hold.kind, hold.who) == (HoldKind.PAUSE, "sentinel")
    relief.look("maker", spec.process, 1.0)
    assert engine.poll() is None


def test_a_stuck_bot_over_its_limit_is_killed(stage: Stage) -> None:
    engine, relief, spec = engine_over_its_limit(stage, OnLimit.RESTART)
    engine.send_signal(signal.SIGSTOP)
    relief.look("maker", spec.process, 0.0)
    assert engine.wait(10) == -signal.SIGKILL


def test_a_bot_without_a_process_is_nobody_to_relieve(tmp_path: Path) -> None:
    Relief(Workspace(root=tmp_path)).look("maker", limited(max_memory_mb=1), 0.0)
    assert read_hold(Workspace(root=tmp_path), "maker") is None
