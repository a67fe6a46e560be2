"""Keeps a fleet up: starts what was applied last, and again when a supervisord dies, until somebody asks to end.

`botctl up` is the caller, in the foreground: that is what systemd, launchd and containers start and stop. It
decides nothing: what is in force is made true, holds are honoured, and every engine asks its venue before its first
order.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from engine.control.down import WAIT_S, take_down
from engine.control.fleet import Fleet
from engine.control.kept import only_keeper
from engine.control.lifecycle import make_true
from engine.errors import BotctlError, Conflict, Locked, Refused

LOOK_S = 2.0
FIRST_RETRY_S = 5.0
LAST_RETRY_S = 300.0
IDLE_S = 30.0
TRIES_MAX = 12
"""What did not come up in about half an hour waits for a person, or for the next time a supervisord dies."""


class AskedToEnd(KeyboardInterrupt):
    """SIGTERM or SIGINT: what is under way is broken off as by Ctrl-C, which the next apply would make good."""


def keep_up(fleet: Fleet) -> None:
    """Until SIGTERM or SIGINT come; then the fleet is taken down, all bots at once."""
    fleet.workspace.prepare()
    with only_keeper(fleet.workspace):
        try:
            with _hearing():
                Keeper(fleet).run()
        except AskedToEnd:
            fleet.progress("asked to end: taking the fleet down")
            take_down(fleet, wait_s=WAIT_S)


class Keeper:
    """The loop, and what it remembers between two looks."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._has_begun = False
        self._failures = 0
        self._due_s = 0.0

    def run(self) -> None:
        """Never returns."""
        while True:
            self.look()
            time.sleep(LOOK_S)

    def look(self) -> None:
        """Once: make true what is not, unless that was tried a moment ago. What is wrong before anything was
        started is raised; later it is told, and the bots that run go on."""
        if time.monotonic() < self._due_s:
            return
        try:
            if self._has_work():
                self._worked(did_something=make_true(self._fleet, verb="up"))
        except Locked:  # Whoever changes the fleet will be done, and there is another look.
            return
        except BotctlError as error:
            if not self._has_begun and isinstance(error, Conflict | Refused):
                raise
            self._failed(error.message)
        except OSError as error:  # A full disk must not end the keeper, and with it the bots.
            self._failed(error.strerror or str(error))
        self._has_begun = True

    def _has_work(self) -> bool:
        """Only a supervisor that ended is answered: what else is not as applied, somebody may have meant."""
        is_unfinished = not self._has_begun or 0 < self._failures < TRIES_MAX
        return is_unfinished or bool(self._fleet.backend.ended())

    def _worked(self, *, did_something: bool) -> None:
        """Where a supervisor has ended and nothing is to be done, all its bots are held: there is no hurry."""
        is_news = did_something or not self._has_begun
        if is_news:
            self._fleet.progress("the fleet is up")
        self._failures = 0
        self._due_s = time.monotonic() + (FIRST_RETRY_S if is_news else IDLE_S)

    def _failed(self, why: str) -> None:
        wait_s = min(LAST_RETRY_S, FIRST_RETRY_S * 2 ** min(self._failures, 10))
        self._failures += 1
        self._due_s = time.monotonic() + wait_s
        self._fleet.progress(f"not all is up: {why}; looking again in {wait_s:.0f} s")


@contextmanager
def _hearing() -> Iterator[None]:
    """The first request to end is raised as AskedToEnd. A second SIGTERM says nothing new; a second Ctrl-C does."""

    def hear(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        raise AskedToEnd

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, hear)
    yield
