"""Takes the whole fleet down without holding anything: the next apply starts all of it again."""

from __future__ import annotations

import time
from collections.abc import Iterable

from engine.control.audit import note, recorded
from engine.control.backends.interface import ShutDown, Stop
from engine.control.backends.supervisor import SHUT_DOWN_S
from engine.control.converge import STOP_GRACE_S, known_programs
from engine.control.fleet import Fleet
from engine.control.kept import end_keeper
from engine.control.lock import writer_lock
from engine.control.observe import observe
from engine.control.orphans import stop_by_socket
from engine.control.programs import SIMULATOR_STOP_S, program_name, stop_deadline_s, subject_of
from engine.errors import Locked, StateDamaged, Unavailable
from engine.host.generation import read_current
from engine.host.workspace import Workspace
from engine.plan.actions import Subject
from engine.plan.observed import Engine, Observed, Unknown
from engine.runtime.sentinel import end_sentinel
from engine.spec.types import BotSpec

WAIT_S = 60
"""How long a stop that nobody watches waits for a command that is changing the fleet."""
POLL_S = 0.2


def take_down(fleet: Fleet, *, wait_s: float = 0) -> None:
    """All bots by their stop procedure, in parallel; then the simulators; then the supervisor itself. `wait_s` is
    the patience with a command that holds the lock; without any, that is Locked."""
    fleet.workspace.prepare()
    end_keeper(fleet, wait_s + time_to_stop_s(_bots_in_force(fleet.workspace)))
    deadline = time.monotonic() + wait_s
    while True:
        try:
            return _take_down(fleet)
        except Locked:
            if time.monotonic() > deadline:
                raise
        time.sleep(POLL_S)


def time_to_stop_s(bots: Iterable[BotSpec]) -> int:
    """The longest that a fleet may take to go down: its slowest bot, since all stop at once, the simulators, the
    supervisor."""
    slowest = max((stop_deadline_s(spec) for spec in bots), default=0)
    return slowest + STOP_GRACE_S + SIMULATOR_STOP_S + STOP_GRACE_S + round(SHUT_DOWN_S)


def _take_down(fleet: Fleet) -> None:
    with writer_lock(fleet.workspace, "down"):
        observed = observe(fleet)
        if isinstance(observed.processes, Unknown):
            raise Unavailable(f"the supervisor does not answer: {observed.processes.why}")
        with recorded(fleet.workspace, "down", write=note):  # A full disk keeps nobody from stopping.
            stop_all(fleet, observed)


def _bots_in_force(workspace: Workspace) -> Iterable[BotSpec]:
    """Whoever ends what runs does so also beside a damaged generation."""
    try:
        generation = read_current(workspace)
    except StateDamaged:
        return ()
    return generation.bots.values() if generation else ()


def stop_all(fleet: Fleet, observed: Observed) -> None:
    """Bots before simulators: an engine cancels its orders at a venue that still answers."""
    supervised = [program for program, process in known_programs(observed).items() if process.is_up]
    engines = {name: engine for name, engine in observed.engines.items() if isinstance(engine, Engine)}
    deadline_s = STOP_GRACE_S + max((stop_deadline_s(engine.spec) for engine in engines.values()), default=0)
    orphans = {
        name: engine for name, engine in engines.items() if program_name(Subject.BOT, name) not in supervised
    }
    stop_by_socket(fleet, orphans, deadline_s=deadline_s)
    for subject, limit_s in ((Subject.BOT, deadline_s), (Subject.SIMULATOR, SIMULATOR_STOP_S + STOP_GRACE_S)):
        names = tuple(name for name in supervised if (known := subject_of(name)) and known[0] is subject)
        if names:
            fleet.backend.execute(Stop(names=names, deadline_s=limit_s), fleet.progress)
    fleet.backend.execute(ShutDown(), fleet.progress)
    end_sentinel(fleet.workspace)
