"""Keeps programs with supervisord, driven over XML-RPC the way that was measured to be fast and exact.

Each program is a group of its own. What changes is stopped, removed and added by name; nothing else is touched,
whatever supervisord thinks of its configuration: a newer template must not restart a bot (law 9).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.control.backends.conf import render_conf
from engine.control.backends.daemon import start_daemon
from engine.control.backends.interface import (
    Absent,
    Load,
    Operation,
    Program,
    Progress,
    Remove,
    ShutDown,
    Start,
    Stop,
)
from engine.control.backends.shards import Shard, assign, known_shards, shard
from engine.control.backends.xmlrpc import ALREADY_ADDED, ALREADY_STARTED, BAD_NAME, NOT_RUNNING, Call, Supervisord
from engine.errors import BotctlError, Conflict
from engine.host.files import write_atomic
from engine.host.workspace import Workspace
from engine.plan.observed import Process, ProcessState

POLL_S = 0.1
SHUT_DOWN_S = 20.0

_STATES = {
    "STOPPED": ProcessState.STOPPED,
    "STARTING": ProcessState.RUNNING,
    "RUNNING": ProcessState.RUNNING,
    "BACKOFF": ProcessState.RUNNING,
    "STOPPING": ProcessState.STOPPING,
    "EXITED": ProcessState.EXITED,
}


class SupervisorBackend:
    """The programs of one workspace, spread over one supervisord or several."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._clients: dict[Path, Supervisord] = {}

    def observe(self) -> dict[str, Process]:
        """Every program of every instance; Absent only when none of them runs."""
        found: dict[str, Process] = {}
        absent: list[Absent] = []
        shards = known_shards(self._workspace)
        for each in shards:
            try:
                found.update(_processes(self._client(each)))
            except Absent as error:
                absent.append(error)
        if len(absent) == len(shards):
            raise absent[0]
        return found

    def render(self, programs: Sequence[Program], room: int) -> str:
        """All instances' configurations, one after another."""
        return "\n".join(_conf(each, mine) for each, mine in self._spread(programs, room))

    def execute(self, operation: Operation, progress: Progress) -> None:
        match operation:
            case Load():
                for each, programs in self._spread(operation.programs, operation.room):
                    self._load(each, programs, operation.leaving, progress)
            case Stop():
                self._stop(operation, progress)
            case Start(names=names):
                for client, mine in self._at_home(names):
                    client.call_many(_calls("addProcessGroup", mine), tolerate=frozenset({ALREADY_ADDED}))
                    client.call_many(_calls("startProcess", mine, False), tolerate=frozenset({ALREADY_STARTED}))
            case Remove(names=names):
                self._call_all(_calls("removeProcessGroup", names), tolerate=frozenset({BAD_NAME}))
            case ShutDown():
                self._shut_down(progress)

    def _load(self, each: Shard, programs: Sequence[Program], leaving: Collection[str], progress: Progress) -> None:
        """Write the file whole, let supervisord read it, and add what is new; refuse what nobody planned."""
        client = self._client(each)
        write_atomic(each.conf, _conf(each, programs).encode())
        try:
            added, _changed, removed = client.call("supervisor.reloadConfig")[0]
        except Absent:
            if programs or each.conf == self._workspace.supervisor_conf:
                progress(f"starting {each.name}")
                start_daemon(each.conf, client)
            return
        unplanned = {*removed} - {*leaving}
        if unplanned:
            raise Conflict(
                f"supervisord keeps programs the plan does not know: {', '.join(sorted(unplanned))}",
                hint="plan again: something else changed them in the meantime",
            )
        client.call_many(_calls("addProcessGroup", added), tolerate=frozenset({ALREADY_ADDED}))

    def _stop(self, stop: Stop, progress: Progress) -> None:
        calls = [("supervisor.stopProcess", (f"{name}:{name}", False)) for name in stop.names]
        self._call_all(calls, tolerate=frozenset({NOT_RUNNING, BAD_NAME}))
        deadline = time.monotonic() + stop.deadline_s
        waiting = set(stop.names)
        while waiting:
            seen = self.observe()
            gone = {name for name in waiting if name not in seen or not seen[name].is_up}
            for name in sorted(gone):
                progress(f"{name} stopped")
            waiting -= gone
            if waiting and time.monotonic() > deadline:
                raise BotctlError(f"still running after {stop.deadline_s:.0f} s: {', '.join(sorted(waiting))}")
            time.sleep(POLL_S if waiting else 0)

    def _shut_down(self, progress: Progress) -> None:
        """All at once. Their files go too: with nobody running, the next start may spread the programs anew."""
        ending = []
        for each in known_shards(self._workspace):
            with suppress(Absent):
                self._client(each).call("supervisor.shutdown")
                progress(f"stopping {each.name}")
                ending.append(each)
        for each in ending:
            _await_absence(each)
        for each in reversed(known_shards(self._workspace)):
            each.conf.unlink(missing_ok=True)

    def _spread(self, programs: Sequence[Program], room: int) -> list[tuple[Shard, list[Program]]]:
        """Every shard there is or will be, with its programs."""
        by_name = {program.name: program for program in programs}
        kept = [each.programs() for each in known_shards(self._workspace)]
        spread = assign(by_name, kept, room)
        return [
            (shard(self._workspace, number), [by_name[name] for name in names])
            for number, names in enumerate(spread)
        ]

    def _at_home(self, names: Iterable[str]) -> list[tuple[Supervisord, list[str]]]:
        """Names by the supervisord whose file has them; one that none has is the first one's to decline."""
        shards = known_shards(self._workspace)
        homes = {name: each for each in shards for name in each.programs()}
        groups: dict[Shard, list[str]] = {}
        for name in names:
            groups.setdefault(homes.get(name, shards[0]), []).append(name)
        return [(self._client(each), group) for each, group in groups.items()]

    def _call_all(self, calls: Sequence[Call], *, tolerate: frozenset[int]) -> None:
        """To every supervisord that runs: whoever knows the name does it, since what leaves stands in no file."""
        for each in known_shards(self._workspace):
            with suppress(Absent):
                self._client(each).call_many(calls, tolerate=tolerate)

    def _client(self, each: Shard) -> Supervisord:
        return self._clients.setdefault(each.socket, Supervisord(each.socket))


def supervisor_backend(workspace: Workspace) -> SupervisorBackend:
    """The workspace's own backend."""
    return SupervisorBackend(workspace)


def absent_supervisors(workspace: Workspace) -> list[str]:
    """The names of those that have programs to keep and do not run."""
    return [each.name for each in known_shards(workspace) if each.programs() and not _runs(each)]


def _runs(each: Shard) -> bool:
    try:
        Supervisord(each.socket).call("supervisor.getState")
    except Absent:
        return False
    except BotctlError:
        return True
    return True


def _conf(each: Shard, programs: Sequence[Program]) -> str:
    return render_conf(programs, conf=each.conf, socket=each.socket)


def _calls(method: str, names: Iterable[str], *arguments: Any) -> list[Call]:
    return [(f"supervisor.{method}", (name, *arguments)) for name in names]


def _processes(client: Supervisord) -> dict[str, Process]:
    return {info["name"]: _process(info) for info in client.call("supervisor.getAllProcessInfo")}


def _process(info: dict[str, Any]) -> Process:
    """BACKOFF counts as running: supervisord is about to try again by itself."""
    return Process(
        state=_STATES.get(info["statename"], ProcessState.FAILED),
        pid=info["pid"] or None,
        exit_code=info["exitstatus"] if info["stop"] else None,
        why=info["spawnerr"],
    )


def _await_absence(each: Shard) -> None:
    """supervisord's last deed is to remove its socket and its pid file."""
    deadline = time.monotonic() + SHUT_DOWN_S
    while each.socket.exists() or each.pid_file.exists():
        if time.monotonic() > deadline:
            raise BotctlError(f"{each.name} is still there after {SHUT_DOWN_S:.0f} s")
        time.sleep(POLL_S)
