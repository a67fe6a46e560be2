"""`botctl-sentinel STATE_DIR`: looks after bots that nobody runs. supervisord starts one per fleet.

A bot's process holds the bot's lock for as long as it lives. Where a lock stays free for the declared grace time,
although the bot's journal knows orders that may rest, nobody is there to cancel them: the sentinel does. It
outlives supervisord until the last bot is looked after. It also restarts or pauses bots that use more of the host
than their specs allow, because a process that is stuck cannot see to that itself.

It loads no venue and no event loop: what needs them is done by a process of its own
(`botctl-sentinel STATE_DIR BOT`).
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from engine.errors import BotctlError, UsageError
from engine.host.holders import verified_holder
from engine.host.locks import RunnerLock, acquire, this_process
from engine.host.process import die_with_parent
from engine.host.workspace import Workspace, workspace_of_state
from engine.runtime.logs import JsonLines, start_log
from engine.runtime.relief import Relief
from engine.runtime.watch import Watch, Watched, read_watched

log = logging.getLogger("engine.runtime.sentinel")

POLL_S = 1.0
CLEANERS_MAX = 4
ORPHANED_S = 3600.0
"""How long it goes on trying without a supervisor."""
CRASHED_S = 5.0
"""supervisord starts it again at once."""


def main() -> int:
    """The console script."""
    try:
        if len(sys.argv) not in (2, 3):
            raise UsageError("usage: botctl-sentinel STATE_DIR [BOT]")
        workspace = workspace_of_state(Path(sys.argv[1]))
        if len(sys.argv) == 3:
            _clean_up(workspace, sys.argv[2])
        else:
            _watch(workspace)
    except BotctlError as error:
        print(f"error: {error.message}", file=sys.stderr)
        return error.exit_code
    return 0


def _clean_up(workspace: Workspace, bot: str) -> None:
    from engine.runtime.cleanup import clean_up  # a venue and an event loop, which watching does without

    die_with_parent()
    clean_up(workspace, bot)


def _watch(workspace: Workspace) -> None:
    workspace.prepare()
    handler = JsonLines(workspace.logs / "sentinel.jsonl", beside=lambda work: work())
    start_log(handler, "info")
    lock = _take_over(workspace)
    try:
        Sentinel(workspace).run()
    except Exception:
        log.exception("the sentinel crashed")
        time.sleep(CRASHED_S)
        raise
    finally:
        lock.release()
        handler.close()


def lock_file(workspace: Workspace) -> Path:
    """Held by the fleet's sentinel."""
    return workspace.state / "sentinel.lock"


def end_sentinel(workspace: Workspace) -> None:
    """Ask the running sentinel to end; nothing where none runs."""
    if holder := verified_holder(lock_file(workspace)):
        os.kill(holder.pid, signal.SIGTERM)


def _take_over(workspace: Workspace) -> RunnerLock:
    """One per fleet: an older one, left over by a supervisord that died, goes."""
    me = this_process("", workspace.root, time.time_ns())
    while True:
        try:
            return acquire(lock_file(workspace), me)
        except BotctlError:
            end_sentinel(workspace)
        time.sleep(POLL_S)


class Sentinel:
    """The loop: what is declared, who runs, which cleaners are at work."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._parent_pid = os.getppid()
        self._orphaned_s: float | None = None
        self._watched = Watched()
        self._watch = Watch(workspace)
        self._relief = Relief(workspace)
        self._cleaners: dict[str, subprocess.Popen[bytes]] = {}

    def run(self) -> None:
        """Until it is switched off, or nothing is left to watch for and no supervisor lives."""
        log.info("watching", extra={"facts": {"pid": os.getpid()}})
        while True:
            self._watched = read_watched(self._workspace, self._watched)
            if self._watched.is_off:
                log.info("switched off")
                return
            self._reap()
            for bot in self._watch.abandoned(self._watched, time.monotonic()):
                self._begin(bot)
            for bot, process in self._watched.limited.items():
                self._relief.look(bot, process, time.monotonic())
            if self._is_superfluous():
                log.info("no supervisor and nothing left to watch")
                return
            time.sleep(POLL_S)

    def _begin(self, bot: str) -> None:
        if bot in self._cleaners or len(self._cleaners) >= CLEANERS_MAX:
            return
        log.warning("nobody runs a bot with orders", extra={"facts": {"bot": bot}})
        command = [sys.executable, "-P", "-m", "engine.runtime.sentinel", str(self._workspace.state), bot]
        self._cleaners[bot] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def _reap(self) -> None:
        for bot, cleaner in list(self._cleaners.items()):
            if (code := cleaner.poll()) is None:
                continue
            del self._cleaners[bot]
            self._watch.tried(bot, worked=code == 0, now_s=time.monotonic())
            log.warning("cancelled" if code == 0 else "not cancelled", extra={"facts": {"bot": bot, "code": code}})

    def _is_superfluous(self) -> bool:
        if os.getppid() == self._parent_pid:
            return False
        now_s = time.monotonic()
        self._orphaned_s = self._orphaned_s or now_s
        return now_s - self._orphaned_s > ORPHANED_S or (not self._cleaners and self._watch.is_calm)


if __name__ == "__main__":
    sys.exit(main())
