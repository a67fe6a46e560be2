"""Carries out a plan, in the order that never leaves a bot without what it needs:

    load configuration → stop bots → stop simulators → switch generation → start simulators → start bots
    → hand over new settings → wait until every touched bot is healthy

Bots that depend on one another stop and start in steps: what others need stops last and is healthy first.

Nothing here is remembered: an interruption at any line is finished by the next apply.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from engine.control.backends.conf import KILL_GRACE_S
from engine.control.backends.interface import Load, Remove, Start, Stop
from engine.control.checkout import claim
from engine.control.events import StepDone
from engine.control.fleet import Fleet
from engine.control.health import Gate, await_bots, await_simulators
from engine.control.orphans import stop_by_socket
from engine.control.programs import (
    COMPANIONS,
    SIMULATOR_STOP_S,
    companions_of,
    program_name,
    programs_of,
    stop_deadline_s,
)
from engine.control.remains import clear_remains, remains_of
from engine.errors import BotctlError
from engine.host.control_client import call_all
from engine.host.finished import clear_finished
from engine.host.generation import read_current
from engine.plan.actions import Kind, Plan, Subject
from engine.plan.bonds import start_order
from engine.plan.desired import Desired
from engine.plan.observed import Engine, Observed, Process, Unknown
from engine.plan.renames import renames
from engine.spec.dependencies import levels
from engine.spec.types import FleetSpec

STOP_GRACE_S = 2 * KILL_GRACE_S
"""After a bot's own deadline it is killed; after twice that time nothing can be left."""
RELOAD_TIMEOUT_S = 10.0

_DEFAULT_GATE = Gate()
_DOWN = (Kind.STOP, Kind.RETIRE, Kind.RESTART, Kind.REPLACE)
_UP = (Kind.CREATE, Kind.START, Kind.RESTART, Kind.REPLACE)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One plan on its way, and what an apply does between the steps (verbs that only stop or start: nothing).

    `commit` is called when everything that leaves is gone, before anything new starts.
    """

    fleet: Fleet
    plan: Plan
    desired: Desired
    observed: Observed
    commit: Callable[[], None] = lambda: None
    gate: Gate = _DEFAULT_GATE

    def tell(self, line: str) -> None:
        self.fleet.progress(line)

    def names(self, subject: Subject, *kinds: Kind) -> tuple[str, ...]:
        return self.plan.of(subject, *kinds)

    def steps(self, *kinds: Kind) -> tuple[tuple[str, ...], ...]:
        """The bots of these actions in the order they start in."""
        applied = self.observed.applied.bots if self.observed.applied else {}
        order = start_order(applied, {name: bot.spec for name, bot in self.desired.bots.items()})
        names = self.names(Subject.BOT, *kinds)
        strays = tuple(name for name in names if name not in order)
        return (*((strays,) if strays else ()), *levels(order, names))

    def report(self, step: str, names: Iterable[str], subject: Subject = Subject.BOT) -> None:
        """Tell programs that these are through a step of the way."""
        if done := tuple(names):
            self.fleet.events(StepDone(subject=subject, step=step, names=done))

    def programs(self, subject: Subject, *kinds: Kind) -> tuple[str, ...]:
        return tuple(program_name(subject, name) for name in self.names(subject, *kinds))


def converge(run: Run) -> None:
    """Make the plan's actions true; BotctlError names every bot that did not become what it should."""
    if any(action.kind.starts_process for action in run.plan.changes):
        claim(run.fleet.workspace, run.desired.fleet.id)
    is_supervised = _needs_supervisor(run)
    if is_supervised:
        wanted = programs_of(run.desired)
        leaving = frozenset({*known_programs(run.observed), *COMPANIONS}) - {program.name for program in wanted}
        room = run.desired.fleet.max_programs
        run.fleet.backend.execute(Load(programs=wanted, leaving=leaving, room=room), run.tell)
    _stop(run)
    left = _left_behind(run)
    run.commit()
    _start_simulators(run)
    unhealthy = _start_bots(run)
    if is_supervised and (companions := companions_of(run.desired)):
        run.fleet.backend.execute(Start(names=tuple(one.name for one in companions)), run.tell)
    problems = {**left, **_hand_over(run), **_await_health(run, unhealthy), **unhealthy}
    if problems:
        words = "; ".join(f"{name}: {why}" for name, why in sorted(problems.items()))
        raise BotctlError(
            f"{len(problems)} not as planned: {words}", hint=f"botctl logs {min(problems)}; then botctl plan"
        )


def known_programs(observed: Observed) -> dict[str, Process]:
    """Everything the supervisor knows, by program name."""
    known: dict[str, Process] = {}
    if not isinstance(observed.processes, Unknown):
        known |= {program_name(Subject.BOT, name): process for name, process in observed.processes.items()}
    if not isinstance(observed.simulators, Unknown):
        known |= {program_name(Subject.SIMULATOR, name): sim.process for name, sim in observed.simulators.items()}
    return known


def _needs_supervisor(run: Run) -> bool:
    """One is started only for something to start; one that runs is told what changed."""
    applied, known = run.observed.applied, known_programs(run.observed)
    if known and applied is not None and _companions_change(applied.fleet, run.desired.fleet):
        return True
    starts = any(action.kind.starts_process for action in run.plan.changes)
    leaves = run.programs(Subject.BOT, *_DOWN) + run.programs(Subject.SIMULATOR, *_DOWN)
    return starts or any(name in known for name in leaves)


def _companions_change(before: FleetSpec, after: FleetSpec) -> bool:
    """Watch and monitor read their settings anew each time; whether there are any, the supervisor must be told."""
    wanted = [(fleet.watch is not None, fleet.is_monitored) for fleet in (before, after)]
    return before.sentinel != after.sentinel or wanted[0] != wanted[1]


def _stop(run: Run) -> None:
    orphans = {
        name: engine
        for name in run.names(Subject.BOT, *_DOWN, *_UP)
        if isinstance(engine := run.observed.engines.get(name), Engine) and not _is_supervised(run, name)
    }
    deadlines = {name: stop_deadline_s(engine.spec) for name, engine in orphans.items()}
    deadline_s = STOP_GRACE_S + max(deadlines.values(), default=0)
    stop_by_socket(run.fleet, orphans, deadline_s=deadline_s, coming_back=_coming_back(run))
    running = [engine.spec for engine in run.observed.engines.values() if isinstance(engine, Engine)]
    longest = max((stop_deadline_s(spec) for spec in running), default=0)
    for names in reversed(run.steps(*_DOWN)):
        _part_for_a_while(run, names)
        _stop_programs(run, Subject.BOT, names, longest + STOP_GRACE_S)
    _stop_programs(run, Subject.SIMULATOR, run.names(Subject.SIMULATOR, *_DOWN), SIMULATOR_STOP_S + STOP_GRACE_S)


def _part_for_a_while(run: Run, names: Collection[str]) -> None:
    """Bots that come back where they are keep their positions, whatever their stop policy says. One that is mute
    hears of its end from the supervisor, as in any other stop."""
    coming_back = _coming_back(run)
    returning = [name for name in names if name in coming_back]
    sockets = {name: run.fleet.workspace.control_socket(name) for name in returning}
    call_all(sockets, "stop", {"why": "restart", "keep_position": True}, timeout_s=RELOAD_TIMEOUT_S)


def _coming_back(run: Run) -> set[str]:
    """Bots that go on where they are, under their own name or another."""
    return {*run.names(Subject.BOT, Kind.RESTART), *(one.old for one in renames(run.desired, run.observed))}


def _is_supervised(run: Run, name: str) -> bool:
    process = known_programs(run.observed).get(program_name(Subject.BOT, name))
    return process is not None and process.is_up


def _stop_programs(run: Run, subject: Subject, who: Collection[str], deadline_s: float) -> None:
    known = known_programs(run.observed)
    names = tuple(program for name in who if (program := program_name(subject, name)) in known)
    if not names:
        return
    up = [name for name in names if known[name].is_up]
    for name in up:
        run.tell(f"{name} stopping")
    run.fleet.backend.execute(Stop(names=names, deadline_s=deadline_s), run.tell)
    after = run.fleet.backend.observe()
    unclean = [name for name in up if name in after and not after[name].ended_cleanly]
    run.fleet.backend.execute(Remove(names=names), run.tell)
    run.report(
        "stopped", [name for name in run.names(subject, *_DOWN) if program_name(subject, name) in up], subject
    )
    if unclean and subject is Subject.BOT:
        raise BotctlError(
            f"{', '.join(unclean)} did not finish the stop procedure: orders may still rest at the venue",
            hint="look at the venue and at `botctl logs`; `botctl apply` goes on from here",
        )


def _left_behind(run: Run) -> dict[str, str]:
    """Bots that end here and did not end well: with no process and no file, nobody would ask for their orders. So
    they are cancelled now; the words are about those that were not."""
    applied, workspace = run.observed.applied, run.fleet.workspace
    if applied is None:
        return {}
    names = [name for name in run.names(Subject.BOT, Kind.STOP, Kind.RETIRE) if name in applied.bots]
    specs = [applied.bots[name] for name in names]
    if left := remains_of(workspace, applied.fleet.id, specs):
        run.tell(f"cancelling what is left of {', '.join(left)}")
        clear_remains(workspace, left)
        left = remains_of(workspace, applied.fleet.id, specs)
    return left


def _start_simulators(run: Run) -> None:
    programs = run.programs(Subject.SIMULATOR, *_UP)
    if programs:
        run.fleet.backend.execute(Start(names=programs), run.tell)
        await_simulators(run.fleet, run.names(Subject.SIMULATOR, *_UP))
        run.report("started", run.names(Subject.SIMULATOR, *_UP), Subject.SIMULATOR)


def _start_bots(run: Run) -> dict[str, str]:
    """Start step by step; what is wrong with those that others wait for, and with those that waited in vain."""
    steps = run.steps(*_UP)
    for index, names in enumerate(steps):
        for name in names:
            clear_finished(run.fleet.workspace, name)
        run.fleet.backend.execute(Start(names=tuple(program_name(Subject.BOT, name) for name in names)), run.tell)
        run.report("started", names)
        waiting = [name for step in steps[index + 1 :] for name in step]
        if waiting and (problems := _await(run, names)):
            words = f"was not started, because {', '.join(sorted(problems))} is not healthy"
            return {**problems, **dict.fromkeys(waiting, words)}
    return {}


def _hand_over(run: Run) -> dict[str, str]:
    """Tell running engines to take their new settings; those that could not be told, and why."""
    names = run.names(Subject.BOT, Kind.UPDATE)
    generation = read_current(run.fleet.workspace)
    if not names or generation is None:
        return {}
    sockets = {name: run.fleet.workspace.control_socket(name) for name in names}
    replies = call_all(sockets, "reload", {"generation": generation.number}, timeout_s=RELOAD_TIMEOUT_S)
    problems = {name: reply.message for name, reply in replies.items() if isinstance(reply, BotctlError)}
    run.report("reloaded", [name for name in names if name not in problems])
    return problems


def _await_health(run: Run, known: Collection[str]) -> dict[str, str]:
    """Of everything that was touched, but for those of whom the worst is known."""
    return _await(run, [name for name in run.names(Subject.BOT, *_UP, Kind.UPDATE) if name not in known])


def _await(run: Run, names: Collection[str]) -> dict[str, str]:
    wanted = {name: run.desired.bots[name].fingerprint for name in names}
    problems = await_bots(run.fleet, wanted, run.gate)
    run.report("healthy", sorted(wanted.keys() - problems.keys()))
    return problems
