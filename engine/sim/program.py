"""One simulated venue of a workspace as a running process: lock, sockets, endpoint file, signals.

`main` calls it for supervisor, `botctl sim` for people in the foreground.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import time
from collections.abc import Callable
from pathlib import Path

from engine.errors import Locked
from engine.host.endpoints import SimEndpoint, write_sim_endpoint
from engine.host.locks import RunnerLock, acquire, this_process
from engine.host.workspace import Workspace
from engine.sim.machine import VenueMachine
from engine.sim.recording import OpenLines, recorded_lines
from engine.sim.server import loopback_socket, serve, urls
from engine.sim.venues import build_machine
from engine.spec.fingerprint import simulator_fingerprint
from engine.spec.types import FleetSpec, SimSpec

LINGER_S = 15.0
LOCK_RETRY_S = 0.1

log = logging.getLogger("sim")

Tell = Callable[[str, str], None]
"""Called with REST and WebSocket URL once both are served."""


def run_in_workspace(
    workspace: Workspace, fleet: FleetSpec, venue: str, *, port: int, lock_wait_s: float, tell: Tell
) -> None:
    """Simulate one venue of the fleet until SIGTERM or SIGINT. Raises Locked when another simulator runs."""
    spec = fleet.sims[venue]
    lock = _take_lock(workspace, venue, lock_wait_s)
    try:
        machine = build_machine(spec, fleet.id, recording_of(spec, workspace.root))

        def ready(rest_url: str, ws_url: str) -> None:
            endpoint = SimEndpoint(
                instance=secrets.token_hex(8),
                rest_url=rest_url,
                ws_url=ws_url,
                pid=os.getpid(),
                fingerprint=simulator_fingerprint(fleet, venue),
            )
            write_sim_endpoint(workspace, venue, endpoint)
            tell(rest_url, ws_url)

        run(machine, port=port, linger_s=LINGER_S, tell=ready)
    finally:
        lock.release()


def run(machine: VenueMachine, *, port: int, linger_s: float, tell: Tell) -> None:
    """Serve a machine until SIGTERM or SIGINT."""
    asyncio.run(_run(machine, port, linger_s, tell))


def recording_of(spec: SimSpec, root: Path) -> OpenLines | None:
    """The recording a spec names, relative to the workspace."""
    return recorded_lines(root / spec.recording) if spec.recording else None


async def _run(machine: VenueMachine, port: int, linger_s: float, tell: Tell) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    listener = loopback_socket(port)
    rest_url, ws_url = urls(listener)

    def ready() -> None:
        log.info("serving", extra={"facts": {"rest_url": rest_url, "ws_url": ws_url}})
        tell(rest_url, ws_url)

    await serve(machine, listener, ready=ready, stop=stop, linger_s=linger_s)
    log.info("stopped")


def _take_lock(workspace: Workspace, venue: str, wait_s: float) -> RunnerLock:
    """One simulator per venue and workspace; an old one that still lingers is waited for."""
    workspace.sim.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = workspace.sim / f"{venue}.lock"
    holder = this_process(f"sim-{venue}", workspace.root, time.time_ns())
    deadline_s = time.monotonic() + wait_s
    while True:
        try:
            return acquire(file, holder)
        except Locked:
            if time.monotonic() >= deadline_s:
                raise
            time.sleep(LOCK_RETRY_S)
