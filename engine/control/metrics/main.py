"""`botctl-metrics STATE_DIR`: the metrics as a program of the fleet, started where fleet.yaml has `metrics:`."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from pathlib import Path

from engine.control.backends.supervisor import supervisor_backend
from engine.control.fleet import Eyes, View
from engine.control.metrics.place import lock_file
from engine.control.metrics.service import serve
from engine.errors import BotctlError, Locked, UsageError
from engine.host.generation import read_current_fleet
from engine.host.locks import RunnerLock, acquire, this_process
from engine.host.process import die_with_parent
from engine.host.workspace import Workspace, workspace_of_state
from engine.runtime.logs import JsonLines, start_log
from engine.spec.types import MetricsSpec

TURN_S = 0.5

log = logging.getLogger("engine.control.metrics")


def main() -> int:
    """The console script."""
    try:
        if len(sys.argv) != 2:
            raise UsageError("usage: botctl-metrics STATE_DIR", hint="people use `botctl metrics`")
        _serve(workspace_of_state(Path(sys.argv[1])))
    except BotctlError as error:
        print(f"error: {error.message}", file=sys.stderr)
        return error.exit_code
    return 0


def _serve(workspace: Workspace) -> None:
    die_with_parent()
    workspace.prepare()
    handler = JsonLines(workspace.logs / "metrics.jsonl", beside=lambda work: work())
    start_log(handler, "info")
    fleet = View(workspace=workspace, backend=Eyes(supervisor_backend(workspace)))
    lock = _await_turn(workspace)
    try:
        asyncio.run(serve(fleet, lambda: _in_force(workspace), tell=_tell, is_patient=True))
        log.info("asked to end, or not wanted any more")
    finally:
        lock.release()
        handler.close()


def _await_turn(workspace: Workspace) -> RunnerLock:
    """One that a supervisord left behind is about to end."""
    me = this_process("metrics", workspace.root, time.time_ns())
    while True:
        try:
            return acquire(lock_file(workspace), me)
        except Locked:
            time.sleep(TURN_S)


def _tell(address: str) -> None:
    log.info("serving", extra={"facts": {"address": address}})


def _in_force(workspace: Workspace) -> MetricsSpec | None:
    fleet = read_current_fleet(workspace)
    return fleet.metrics if fleet else None


if __name__ == "__main__":
    sys.exit(main())
