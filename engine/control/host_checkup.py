"""Is this host fit to run so many bots: programs, open files, memory, disk, clock, room for socket names?"""

from __future__ import annotations

import ctypes
import resource
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from engine.control.finding import Finding, Grade
from engine.host.workspace import Workspace

PROGRAMS = ("botctl-engine", "botctl-sim")
DESCRIPTORS = 1024
"""As `minfds` in supervisord.conf.j2."""
BOT_MEMORY_BYTES = 48 << 20
"""What a bot's process takes at most, as benchmarks/README.md measures it, and a little more."""
SOCKET_PATH_LIMIT = 100
"""A unix socket's path may have 104 bytes on macOS, 108 on Linux."""
LONGEST_NAME = len("/.sock") + 63
FREE_SPACE_BYTES = 1 << 30
TIMEX_BYTES = 512
"""More than the kernel's `struct timex` on any machine."""
TIME_ERROR = 5
"""What adjtimex answers while the kernel's clock follows no other."""


def host_checkup(workspace: Workspace, bots: int) -> Iterator[Finding]:
    """What the machine itself allows; `bots` are applied here."""
    yield from _programs()
    yield descriptors(resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    yield memory(available_memory(), bots)
    yield disk(shutil.disk_usage(workspace.root).free)
    yield socket_names(workspace.runtime_dir)
    yield clock(is_clock_synchronised())


def _programs() -> Iterator[Finding]:
    for name in PROGRAMS:
        path = Path(sys.executable).parent / name
        if path.is_file():
            yield Finding(grade=Grade.OK, what=f"{path} is installed")
        else:
            yield Finding(grade=Grade.FAIL, what=f"{path} is missing", hint="install botctl again: pip install .")


def descriptors(hard_limit: int) -> Finding:
    if hard_limit == resource.RLIM_INFINITY or hard_limit >= DESCRIPTORS:
        return Finding(grade=Grade.OK, what=f"up to {DESCRIPTORS} open files are allowed")
    return Finding(
        grade=Grade.FAIL,
        what=f"only {hard_limit} open files are allowed",
        hint=f"raise the limit: ulimit -Hn {DESCRIPTORS}",
    )


def memory(available: int | None, bots: int) -> Finding:
    """What runs already is counted again: a host should have room for a restart of everything."""
    if available is None:
        return Finding(grade=Grade.OK, what="how much memory is free cannot be told on this system")
    needed = bots * BOT_MEMORY_BYTES
    if available < needed:
        return Finding(
            grade=Grade.WARN,
            what=f"{available >> 20} MB of memory are free; {bots} bots may need {needed >> 20} MB",
            hint="fewer bots on this host, or more memory: the system ends processes when it runs out",
        )
    return Finding(grade=Grade.OK, what=f"{available >> 20} MB of memory are free for {bots} bots")


def disk(free: int) -> Finding:
    if free < FREE_SPACE_BYTES:
        return Finding(
            grade=Grade.FAIL,
            what=f"only {free >> 20} MB are free: a bot stops when its journal cannot be written",
            hint="make space",
        )
    return Finding(grade=Grade.OK, what=f"{free >> 20} MB of disk are free")


def socket_names(folder: Path) -> Finding:
    if len(bytes(folder)) + LONGEST_NAME > SOCKET_PATH_LIMIT:
        return Finding(
            grade=Grade.WARN,
            what=f"sockets in {folder} may get names longer than the system takes",
            hint="set XDG_RUNTIME_DIR to a shorter folder, or keep bot names short",
        )
    return Finding(grade=Grade.OK, what=f"{folder} leaves room for the sockets' names")


def clock(synchronised: bool | None) -> Finding:
    if synchronised is None:
        return Finding(grade=Grade.OK, what="whether the clock is synchronised cannot be told on this system")
    if not synchronised:
        return Finding(
            grade=Grade.WARN,
            what="this host's clock follows no other",
            hint="timedatectl set-ntp true, or run chrony; engines allow for a wrong clock, not for one that jumps",
        )
    return Finding(grade=Grade.OK, what="this host's clock is synchronised")


def available_memory(meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """Bytes that programs could still get."""
    with suppress(OSError, ValueError):
        for line in meminfo.read_text().splitlines():
            name, _, figure = line.partition(":")
            if name == "MemAvailable":
                return int(figure.split()[0]) << 10
    return None


def is_clock_synchronised() -> bool | None:
    """As the kernel says; asking changes nothing."""
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    if adjtimex is None:
        return None
    state = adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    return None if state < 0 else state != TIME_ERROR
