"""Stops engines that run without supervision, over their own control sockets: after a kill -9 of supervisord
on a system without a parent-death signal, or while such engines are still finishing their stop procedure."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

from engine.control.fleet import Fleet
from engine.errors import BotctlError
from engine.host.control_client import call_all
from engine.host.process import is_alive
from engine.plan.observed import Engine

POLL_S = 0.1
ASK_TIMEOUT_S = 5.0


def stop_by_socket(
    fleet: Fleet, engines: Mapping[str, Engine], *, deadline_s: float, coming_back: Collection[str] = ()
) -> None:
    """Ask all to stop and wait until they are gone; their locks and orders go with them. Those that are coming back
    keep their positions, whatever their stop policy says."""
    for name, engine in sorted(engines.items()):
        fleet.progress(f"{name} runs unsupervised as process {engine.pid}: stopping it")
    for keep_position in (True, False):
        asked = [name for name in engines if (name in coming_back) is keep_position]
        sockets = {name: fleet.workspace.control_socket(name) for name in asked}
        request = {"why": "runs without a supervisor", "keep_position": keep_position}
        # An engine that is already stopping may close its socket before it answers: its end is what counts.
        call_all(sockets, "stop", request, timeout_s=ASK_TIMEOUT_S)
    deadline = time.monotonic() + deadline_s
    waiting = dict(engines)
    while waiting:
        for name in [name for name, engine in waiting.items() if not is_alive(engine.pid)]:
            del waiting[name]
            fleet.progress(f"{name} stopped")
        if waiting and time.monotonic() > deadline:
            pids = ", ".join(f"{name} (process {engine.pid})" for name, engine in sorted(waiting.items()))
            raise BotctlError(f"still running after {deadline_s:.0f} s: {pids}")
        time.sleep(POLL_S if waiting else 0)
