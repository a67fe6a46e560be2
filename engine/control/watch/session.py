"""Holds the right to watch, hears requests to end, and lets a watcher run; for the verb and the program alike."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from engine.control.fleet import Fleet
from engine.control.git import Stopped, require_git
from engine.control.watch.attempt import Verdict
from engine.control.watch.reports import Reports
from engine.control.watch.state import lock_file
from engine.control.watch.watcher import SLICE_S, Rim, Watcher
from engine.errors import Interrupted, Locked
from engine.host.files import private_directory
from engine.host.generation import read_current_fleet
from engine.host.locks import acquire, is_free, this_process
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.spec.types import WatchSpec

Settings = Callable[[], WatchSpec | None]


def watch(fleet: Fleet, settings: Settings, secrets: Secrets, *, is_patient: bool = False) -> None:
    """Watch until SIGINT or SIGTERM come; an apply that is under way ends first. Who is patient waits for another
    watch of this fleet to end; else that is Locked."""
    with _asked_to_stop() as is_stopping, suppress(Stopped):
        if is_patient:
            _await_turn(fleet.workspace, is_stopping)
        with _only_one(fleet.workspace):
            Watcher(_rim(fleet, settings, secrets, is_stopping)).run()


def watch_once(fleet: Fleet, spec: WatchSpec, secrets: Secrets) -> Verdict:
    """Look at the branch once, and try its newest commit whatever was tried before."""
    with _only_one(fleet.workspace), _asked_to_stop() as is_stopping:
        try:
            verdict = Watcher(_rim(fleet, lambda: spec, secrets, is_stopping)).look(spec)
        except Stopped as stopped:
            raise Interrupted("interrupted") from stopped
    assert verdict is not None, "a new watcher has tried nothing yet"
    return verdict


def _await_turn(workspace: Workspace, is_stopping: Callable[[], bool]) -> None:
    while not is_free(lock_file(workspace)):
        if is_stopping():
            raise Stopped
        time.sleep(SLICE_S)


def _rim(fleet: Fleet, settings: Settings, secrets: Secrets, is_stopping: Callable[[], bool]) -> Rim:
    applied = read_current_fleet(fleet.workspace)
    return Rim(
        fleet=fleet,
        settings=settings,
        reports=Reports(secrets, applied.id if applied else fleet.workspace.root.name),
        is_stopping=is_stopping,
        chance=random.Random(),
    )


@contextmanager
def _only_one(workspace: Workspace) -> Iterator[None]:
    """Two watches would undo each other."""
    require_git()
    workspace.prepare()
    private_directory(workspace.watch)
    me = this_process("watch", workspace.root, time.time_ns())
    try:
        lock = acquire(lock_file(workspace), me)
    except Locked as error:
        raise Locked(
            "a watch of this fleet runs already",
            hint="`botctl status` shows it; one that the fleet runs ends when `watch:` leaves fleet.yaml",
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _asked_to_stop() -> Iterator[Callable[[], bool]]:
    """The first SIGINT or SIGTERM asks; the second is an interrupt, which the next apply makes good."""
    asked: list[int] = []

    def hear(number: int, _frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
