"""Which supervisord keeps which program. One daemon is one thread: above a few hundred programs every call is slow,
and one that hangs holds up all of them. So a fleet has as many as it needs, the first of them named as ever.

The daemons' own files are the record of who is where: a program stays with the daemon whose file names it, and a
new one goes to the first that has room. So a fleet that grows or shrinks never moves a bot, which would restart it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from engine.host.files import read_if_present
from engine.host.workspace import Workspace
from engine.model.value import Value

_PROGRAM = re.compile(rb"^\[program:([^\]]+)\]$", re.MULTILINE)
_NUMBERED = re.compile(r"supervisord-(\d+)\.conf")


class Shard(Value, frozen=True, kw_only=True):
    """One supervisord: its configuration file and its socket."""

    conf: Path
    socket: Path

    @property
    def name(self) -> str:
        return self.conf.stem

    @property
    def pid_file(self) -> Path:
        return self.conf.with_suffix(".pid")

    def programs(self) -> tuple[str, ...]:
        """What its file names; nothing before it was first written."""
        return tuple(name.decode() for name in _PROGRAM.findall(read_if_present(self.conf) or b""))


def shard(workspace: Workspace, number: int) -> Shard:
    """The first is number 0, and has no number in its name."""
    if number == 0:
        return Shard(conf=workspace.supervisor_conf, socket=workspace.supervisor_socket)
    suffix = f"-{number}"
    conf = workspace.supervisor_conf.with_stem(workspace.supervisor_conf.stem + suffix)
    return Shard(conf=conf, socket=workspace.supervisor_socket.with_name(workspace.supervisor_socket.name + suffix))


def known_shards(workspace: Workspace) -> tuple[Shard, ...]:
    """The first, and every other one up to the last that has a file."""
    found = (_NUMBERED.fullmatch(file.name) for file in workspace.state.glob("supervisord-*.conf"))
    last = max((int(match[1]) for match in found if match), default=0)
    return tuple(shard(workspace, number) for number in range(last + 1))


def assign(wanted: Iterable[str], kept: Sequence[Collection[str]], room: int) -> list[list[str]]:
    """Names by shard: where they are kept, else in the first that has fewer than `room`; more shards as needed."""
    homes = {name: number for number, names in enumerate(kept) for name in names}
    spread: list[list[str]] = [[] for _ in kept]
    fresh = []
    for name in wanted:
        if name in homes:
            spread[homes[name]].append(name)
        else:
            fresh.append(name)
    number = 0
    for name in fresh:
        while number < len(spread) and len(spread[number]) >= room:
            number += 1
        if number == len(spread):
            spread.append([])
        spread[number].append(name)
    return spread
