"""Starts supervisord where none runs, and recognises one that lost its socket."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from engine.control.backends.interface import Absent
from engine.control.backends.xmlrpc import Supervisord
from engine.errors import BotctlError, Conflict
from engine.host.files import private_directory
from engine.host.process import is_alive

START_DEADLINE_S = 20.0
_PASSED_ON = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
)
"""supervisord freezes its environment and hands it to every bot: nothing of a shell's secrets may be in it."""


def start_daemon(conf: Path, client: Supervisord) -> None:
    """Run supervisord in the background and wait until it answers."""
    _refuse_second(conf)
    private_directory(conf.parent / "logs")
    command = [sys.executable, "-P", "-m", "supervisor.supervisord", "-c", str(conf)]
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    done = subprocess.run(
        command,
        env=environment,
        cwd=conf.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        umask=0o077,
        start_new_session=True,
        timeout=START_DEADLINE_S,
        check=False,
    )
    if done.returncode != 0:
        raise BotctlError(f"supervisord did not start: {done.stdout.decode(errors='replace').strip()}")
    _await_answer(conf, client)


def _await_answer(conf: Path, client: Supervisord) -> None:
    deadline = time.monotonic() + START_DEADLINE_S
    while True:
        try:
            client.call("supervisor.getState")
            return
        except Absent as absent:
            if time.monotonic() > deadline:
                raise BotctlError(
                    "supervisord was started and does not listen", hint=f"see {conf.parent}/logs/{conf.stem}.log"
                ) from absent
        time.sleep(0.02)


def _refuse_second(conf: Path) -> None:
    """A supervisord whose socket was deleted still keeps its bots; a second one would start them again."""
    pid = _written_pid(conf.with_suffix(".pid"))
    if pid is not None and is_alive(pid) and str(conf) in _command_line(pid):
        raise Conflict(
            f"supervisord runs as process {pid}, but its socket is gone",
            hint=f"end it with `kill {pid}`: its bots cancel their orders and stop; then apply again",
        )


def _written_pid(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (FileNotFoundError, ValueError):
        return None


def _command_line(pid: int) -> str:
    """How a process was started; empty when that cannot be known."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except FileNotFoundError:
        shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)
        return shown.stdout.decode(errors="replace")
