"""Waits until what was started or changed is what it should be: by its own words, not by its process living."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from engine.control.fleet import Fleet
from engine.control.observe import ENGINE_TIMEOUT_S, observe_processes
from engine.control.programs import program_name
from engine.errors import BotctlError, Unavailable
from engine.host.control_client import Reply, call_all
from engine.host.endpoints import read_sim_endpoint
from engine.host.finished import read_finished
from engine.host.holds import HoldKind, read_hold
from engine.model.value import Value
from engine.plan.actions import Subject
from engine.plan.observed import Process, ProcessState, Unknown

DEADLINE_S = 45.0
POLL_S = 0.1
_HEALTHY = ("running", "paused")
_TRIPPED = "tripped"
_OVER = (ProcessState.EXITED, ProcessState.FAILED, ProcessState.STOPPED)


class Gate(Value, frozen=True, kw_only=True):
    """What makes a bot healthy beyond running the planned settings, and how long it may take. None: DEADLINE_S."""

    timeout_s: float | None = None
    must_quote: bool = False

    @property
    def deadline_s(self) -> float:
        return DEADLINE_S if self.timeout_s is None else self.timeout_s


def await_simulators(fleet: Fleet, venues: Sequence[str]) -> None:
    """Until each listens and says so itself; BotctlError when one does not in time."""
    waiting = set(venues)
    deadline = time.monotonic() + DEADLINE_S
    while waiting:
        processes = observe_processes(fleet)
        ready = {venue for venue in waiting if _listens(fleet, venue, processes)}
        for venue in sorted(ready):
            fleet.progress(f"simulator {venue} listens")
        waiting -= ready
        if waiting and (time.monotonic() > deadline or _any_over(waiting, processes)):
            raise BotctlError(
                f"no simulated {', '.join(sorted(waiting))} came up",
                hint=f"see {fleet.workspace.logs}/{program_name(Subject.SIMULATOR, min(waiting))}.out",
            )
        time.sleep(POLL_S if waiting else 0)


def await_bots(fleet: Fleet, wanted: Mapping[str, str], gate: Gate) -> dict[str, str]:
    """Until each engine acknowledges its fingerprint and is healthy; what is wrong with those that did not."""
    waiting, problems = dict(wanted), dict[str, str]()
    deadline = time.monotonic() + gate.deadline_s
    while waiting:
        for name, verdict in _verdicts(fleet, waiting, gate, late=time.monotonic() > deadline).items():
            fleet.progress(f"{name} {verdict or 'is healthy'}")
            del waiting[name]
            if verdict:
                problems[name] = verdict
        time.sleep(POLL_S if waiting else 0)
    return problems


def _verdicts(fleet: Fleet, waiting: Mapping[str, str], gate: Gate, *, late: bool) -> dict[str, str]:
    """Those that are decided: an empty text is health."""
    processes = observe_processes(fleet)
    sockets = {name: fleet.workspace.control_socket(name) for name in waiting}
    replies = call_all(sockets, "status", timeout_s=ENGINE_TIMEOUT_S)
    decided = {}
    for name, fingerprint in waiting.items():
        reply, process = replies[name], _process(processes, name)
        if _is_healthy(reply, fingerprint, gate):
            decided[name] = ""
        elif (
            isinstance(reply, dict)
            and reply.get("state") == _TRIPPED
            and (hold := read_hold(fleet.workspace, name))
        ):
            decided[name] = f"tripped: {hold.why}"
        elif process is not None and process.state in _OVER:
            decided[name] = "" if _is_finished(fleet, name, fingerprint) else _ended(fleet, name, process)
        elif late:
            decided[name] = _why_late(reply, fingerprint, gate)
    return decided


def _is_healthy(reply: Reply | BotctlError, fingerprint: str, gate: Gate) -> bool:
    if isinstance(reply, BotctlError):
        return False
    runs = reply.get("fingerprint") == fingerprint and reply.get("state") in _HEALTHY
    return runs and (not gate.must_quote or _quotes(reply))


def _quotes(reply: Reply) -> bool:
    """Every leg has its data, and something rests, or the strategy says why nothing should."""
    legs: list[dict[str, Any]] = list(reply.get("legs", {}).values())
    has_data = bool(legs) and all(leg.get("ready") for leg in legs)
    return has_data and any(leg.get("orders") or leg.get("why_not") for leg in legs)


def _is_finished(fleet: Fleet, name: str, fingerprint: str) -> bool:
    done = read_finished(fleet.workspace, name)
    return done is not None and done.fingerprint == fingerprint


def _ended(fleet: Fleet, name: str, process: Process) -> str:
    hold = read_hold(fleet.workspace, name)
    if hold is not None:
        return f"tripped: {hold.why}" if hold.kind is HoldKind.TRIP else f"is held by {hold.who}: {hold.why}"
    return process.why or f"ended with exit code {process.exit_code}"


def _why_late(reply: Reply | BotctlError, fingerprint: str, gate: Gate) -> str:
    after = f"after {gate.deadline_s:.0f} s"
    if isinstance(reply, BotctlError):
        return f"is not healthy {after}: {reply.message}"
    if reply.get("fingerprint") != fingerprint:
        return f"still runs {reply.get('fingerprint')} instead of {fingerprint}"
    reasons = sorted({leg["why_not"] for leg in reply.get("legs", {}).values() if leg.get("why_not")})
    state = "without quotes" if reply.get("state") in _HEALTHY else reply.get("state")
    return f"is still {state} {after}" + (f": {'; '.join(reasons)}" if reasons else "")


def _process(processes: Mapping[str, Process] | Unknown, name: str) -> Process | None:
    return None if isinstance(processes, Unknown) else processes.get(program_name(Subject.BOT, name))


def _listens(fleet: Fleet, venue: str, processes: Mapping[str, Process] | Unknown) -> bool:
    if isinstance(processes, Unknown):
        return False
    process = processes.get(program_name(Subject.SIMULATOR, venue))
    try:
        return process is not None and read_sim_endpoint(fleet.workspace, venue).pid == process.pid
    except Unavailable:
        return False


def _any_over(venues: set[str], processes: Mapping[str, Process] | Unknown) -> bool:
    if isinstance(processes, Unknown):
        return False
    seen = [processes.get(program_name(Subject.SIMULATOR, venue)) for venue in venues]
    return any(process is not None and process.state in _OVER for process in seen)
