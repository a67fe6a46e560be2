"""Keeps programs with supervisord, driven over XML-RPC the way that was measured to be fast and exact.

Each program is a group of its own. What changes is stopped, removed and added by name; nothing else is touched,
whatever supervisord thinks of its configuration: a newer template must not restart a bot (law 9).
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Sequence
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
from engine.control.backends.xmlrpc import ALREADY_ADDED, ALREADY_STARTED, BAD_NAME, NOT_RUNNING, Call, Supervisord
from engine.errors import BotctlError, Conflict
from engine.host.files import write_atomic
from engine.host.workspace import Workspace
from engine.model.value import Value
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


class Shard(Value, frozen=True, kw_only=True):
    """One supervisord: its configuration file and its socket."""

    conf: Path
    socket: Path


class SupervisorBackend:
    """Programs spread over one or more supervisord instances by their names."""

    def __init__(self, shards: Sequence[Shard]) -> None:
        self._shards = tuple(shards)
        self._clients = tuple(Supervisord(shard.socket) for shard in self._shards)

    def observe(self) -> dict[str, Process]:
        """Every program of every instance; Absent only when none of them runs."""
        found: dict[str, Process] = {}
        absent: list[Absent] = []
        for client in self._clients:
            try:
                found.update(_processes(client))
            except Absent as error:
                absent.append(error)
        if len(absent) == len(self._clients):
            raise absent[0]
        return found

    def render(self, programs: Sequence[Program]) -> str:
        """All instances' configurations, one after another."""
        return "\n".join(self._render(index, programs) for index in range(len(self._shards)))

    def execute(self, operation: Operation, progress: Progress) -> None:
        match operation:
            case Load():
                for index in range(len(self._shards)):
                    self._load(index, operation, progress)
            case Stop():
                self._stop(operation, progress)
            case Start(names=names):
                for client, mine in self._by_client(names):
                    client.call_many(_calls("addProcessGroup", mine), tolerate=frozenset({ALREADY_ADDED}))
                    client.call_many(_calls("startProcess", mine, False), tolerate=frozenset({ALREADY_STARTED}))
            case Remove(names=names):
                for client, mine in self._by_client(names):
                    client.call_many(_calls("removeProcessGroup", mine), tolerate=frozenset({BAD_NAME}))
            case ShutDown():
                self._shut_down(progress)

    def _load(self, index: int, load: Load, progress: Progress) -> None:
        """Write the file whole, let supervisord read it, and add what is new; refuse what nobody planned."""
        shard, client = self._shards[index], self._clients[index]
        write_atomic(shard.conf, self._render(index, load.programs).encode())
        try:
            added, _changed, removed = client.call("supervisor.reloadConfig")[0]
        except Absent:
            progress("starting supervisord")
            start_daemon(shard.conf, client)
            return
        unplanned = {*removed} - load.leaving
        if unplanned:
            raise Conflict(
                f"supervisord keeps programs the plan does not know: {', '.join(sorted(unplanned))}",
                hint="plan again: something else changed them in the meantime",
            )
        client.call_many(_calls("addProcessGroup", added), tolerate=frozenset({ALREADY_ADDED}))

    def _stop(self, stop: Stop, progress: Progress) -> None:
        for client, mine in self._by_client(stop.names):
            calls = [("supervisor.stopProcess", (f"{name}:{name}", False)) for name in mine]
            client.call_many(calls, tolerate=frozenset({NOT_RUNNING, BAD_NAME}))
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
        for shard, client in zip(self._shards, self._clients, strict=True):
            try:
                client.call("supervisor.shutdown")
            except Absent:
                continue
            progress("stopping supervisord")
            _await_absence(shard)

    def _render(self, index: int, programs: Sequence[Program]) -> str:
        shard = self._shards[index]
        mine = [program for program in programs if self._index(program.name) == index]
        return render_conf(mine, state=shard.conf.parent, socket=shard.socket)

    def _by_client(self, names: Iterable[str]) -> list[tuple[Supervisord, list[str]]]:
        groups: list[list[str]] = [[] for _ in self._shards]
        for name in names:
            groups[self._index(name)].append(name)
        return [(client, group) for client, group in zip(self._clients, groups, strict=True) if group]

    def _index(self, name: str) -> int:
        return zlib.crc32(name.encode()) % len(self._shards)


def supervisor_backend(workspace: Workspace) -> SupervisorBackend:
    """The workspace's own backend: one supervisord."""
    return SupervisorBackend([Shard(conf=workspace.supervisor_conf, socket=workspace.supervisor_socket)])


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


def _await_absence(shard: Shard) -> None:
    """supervisord's last deed is to remove its socket and its pid file."""
    deadline = time.monotonic() + SHUT_DOWN_S
    while shard.socket.exists() or (shard.conf.parent / "supervisord.pid").exists():
        if time.monotonic() > deadline:
            raise BotctlError(f"supervisord is still there after {SHUT_DOWN_S:.0f} s")
        time.sleep(POLL_S)
