"""`botctl-monitor STATE_DIR`: serves metrics and tells people what is wrong, where fleet.yaml wants that.

It looks at the fleet through a view without hands.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from pathlib import Path

from engine.control.alerts.teller import Teller
from engine.control.backends.supervisor import supervisor_backend
from engine.control.fleet import Eyes, View
from engine.control.metrics.place import lock_file
from engine.control.metrics.service import serve, wait_for
from engine.control.metrics.snapshot import take_snapshot
from engine.errors import BotctlError, Locked, UsageError
from engine.host.generation import read_current_fleet
from engine.host.locks import RunnerLock, acquire, this_process
from engine.host.process import die_with_parent
from engine.host.workspace import Workspace, workspace_of_state
from engine.runtime.logs import JsonLines, start_log
from engine.spec.types import AlertsSpec, MetricsSpec

LOOK_S = 5.0
"""Between two looks for what people should be told."""
WANTED_S = 1.0
TURN_S = 0.5

log = logging.getLogger("engine.control.monitor")


def main() -> int:
    """The console script."""
    try:
        if len(sys.argv) != 2:
            raise UsageError("usage: botctl-monitor STATE_DIR")
        _monitor(workspace_of_state(Path(sys.argv[1])))
    except BotctlError as error:
        print(f"error: {error.message}", file=sys.stderr)
        return error.exit_code
    return 0


def _monitor(workspace: Workspace) -> None:
    die_with_parent()
    workspace.prepare()
    handler = JsonLines(workspace.logs / "monitor.jsonl", beside=lambda work: work())
    start_log(handler, "info")
    lock = _await_turn(workspace)
    try:
        asyncio.run(_run(workspace))
        log.info("asked to end, or nobody is to be told any more")
    finally:
        lock.release()
        handler.close()


def _await_turn(workspace: Workspace) -> RunnerLock:
    """One that a supervisord left behind is about to end."""
    me = this_process("monitor", workspace.root, time.time_ns())
    while True:
        try:
            return acquire(lock_file(workspace), me)
        except Locked:
            time.sleep(TURN_S)


async def _run(workspace: Workspace) -> None:
    """Until SIGTERM or SIGINT, or until the fleet in force wants neither."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    fleet = View(workspace=workspace, backend=Eyes(supervisor_backend(workspace)))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(fleet, lambda: _metrics(workspace), stop, tell=_tell, is_patient=True))
        tasks.create_task(_alert(fleet, stop))
        tasks.create_task(_end_unwanted(workspace, stop))


async def _end_unwanted(workspace: Workspace, stop: asyncio.Event) -> None:
    """As the sentinel and the watch do: an apply tells supervisord who is wanted, and stops only bots."""
    while not stop.is_set():
        if not ((fleet := read_current_fleet(workspace)) and fleet.is_monitored):
            stop.set()
        await wait_for(stop, WANTED_S)


async def _alert(fleet: View, stop: asyncio.Event) -> None:
    workspace, applied = fleet.workspace, read_current_fleet(fleet.workspace)
    name = applied.id if applied else workspace.root.name
    teller = Teller(workspace, name, lambda: take_snapshot(fleet, with_statistics=False))
    while not stop.is_set():
        if (spec := _alerts(workspace)) is not None:
            await asyncio.to_thread(teller.round, spec)
        await wait_for(stop, LOOK_S)


def _tell(address: str) -> None:
    log.info("serving", extra={"facts": {"address": address}})


def _metrics(workspace: Workspace) -> MetricsSpec | None:
    fleet = read_current_fleet(workspace)
    return fleet.metrics if fleet else None


def _alerts(workspace: Workspace) -> AlertsSpec | None:
    fleet = read_current_fleet(workspace)
    return fleet.alerts if fleet else None


if __name__ == "__main__":
    sys.exit(main())
