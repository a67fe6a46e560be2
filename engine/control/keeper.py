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

from engine.control.desired import desired_of
from engine.control.down import WAIT_S, take_down
from engine.control.fleet import Fleet
from engine.control.kept import only_keeper
from engine.control.lifecycle import make_true
from engine.control.observe import observe_processes
from engine.control.programs import program_name, programs_of
from engine.errors import BotctlError, Conflict, Locked, Refused
from engine.host.generation import current_number, read_generation
from engine.host.holds import read_holds
from engine.plan.actions import Subject
from engine.plan.observed import Unknown

LOOK_S = 2.0
FIRST_RETRY_S = 5.0
LAST_RETRY_S = 300.0
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
        self._number: int | None = None
        self._programs: frozenset[str] = frozenset()
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
                make_true(self._fleet, verb="up")
                self._worked()
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
        is_unfinished = not self._has_begun or 0 < self._failures < TRIES_MAX
        return is_unfinished or self._lacks_supervisor()

    def _worked(self) -> None:
        self._fleet.progress("the fleet is up")
        self._failures = 0
        self._due_s = time.monotonic() + FIRST_RETRY_S

    def _failed(self, why: str) -> None:
        wait_s = min(LAST_RETRY_S, FIRST_RETRY_S * 2 ** min(self._failures, 10))
        self._failures += 1
        self._due_s = time.monotonic() + wait_s
        self._fleet.progress(f"not all is up: {why}; looking again in {wait_s:.0f} s")

    def _lacks_supervisor(self) -> bool:
        """Whether no supervisor knows a program that should run. One that does not answer is left alone."""
        known = observe_processes(self._fleet)
        if isinstance(known, Unknown):
            return False
        held = {program_name(Subject.BOT, name) for name in read_holds(self._fleet.workspace)}
        return not self._wanted() - held <= known.keys()

    def _wanted(self) -> frozenset[str]:
        """The programs of the generation in force, read again only when it is another one."""
        number = current_number(self._fleet.workspace)
        if number is not None and number != self._number:
            desired = desired_of(read_generation(self._fleet.workspace, number))
            self._programs = frozenset(program.name for program in programs_of(desired))
            self._number = number
        return self._programs


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
