"""stop, start, resume, restart: holds first, then the ordinary difference of what was applied and what is."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from engine.control.apply import require_plannable
from engine.control.audit import note, recorded
from engine.control.converge import Run, converge
from engine.control.desired import desired_of
from engine.control.fleet import Fleet, caller
from engine.control.lock import writer_lock
from engine.control.observe import observe
from engine.control.remains import remains_of
from engine.errors import BotctlError, Conflict, Refused, StateDamaged
from engine.host.control_client import call
from engine.host.finished import clear_finished
from engine.host.generation import Generation, read_current
from engine.host.holds import Hold, HoldKind, lift_hold, place_hold, read_hold
from engine.plan.actions import Action, Kind, Subject
from engine.plan.desired import Desired
from engine.plan.diff import diff
from engine.plan.observed import Engine, Observed
from engine.plan.selection import selection
from engine.runtime.starts import forget_starts


def stop(fleet: Fleet, names: Sequence[str], *, why: str) -> None:
    """Hold the bots, then stop them; what a person stopped stays stopped until started again."""
    known = applied_names(fleet, names)
    with recorded(fleet.workspace, "stop", bots=list(known), why=why):
        for name in known:
            hold = Hold(bot=name, kind=HoldKind.STOP, who=caller(), since_ns=time.time_ns(), why=why)
            place_hold(fleet.workspace, hold)
            fleet.progress(f"{name} is held")
        _converge_only(fleet, known, verb="stop")
        _require_nothing_left(fleet, known)


def start(fleet: Fleet, names: Sequence[str], *, lift_trips: bool = False, why: str = "") -> None:
    """Lift the bots' holds and make them run and quote. A trip is lifted only by those who say that they mean it:
    among all bots one that tripped is left alone, by its name it is Refused."""
    known = applied_names(fleet, names)
    if not lift_trips:
        tripped = _tripped(fleet, known)
        if names and tripped:
            raise _still_tripped(tripped)
        known = tuple(name for name in known if name not in tripped)
        for hold in tripped.values():
            fleet.progress(f"{hold.bot} stays held: {hold.tripped}; `botctl resume {hold.bot}` lifts a trip")
        if not known:
            return
    verb = "resume" if lift_trips else "start"
    with recorded(fleet.workspace, verb, bots=list(known), why=why):
        _lift_and_run(fleet, known, verb)


def _lift_and_run(fleet: Fleet, known: Sequence[str], verb: str) -> None:
    """Under the lock: who is told that he cannot start a bot now has not lifted its hold for the next apply."""
    generation, held = applied_generation(fleet), set[str]()

    def lift() -> None:
        for name in known:
            if lift_hold(fleet.workspace, name):
                held.add(name)
            forget_starts(fleet.workspace, name)
            clear_finished(fleet.workspace, name)

    observed = _converge_only(fleet, known, verb=verb, first=lift)
    for name in known:
        engine = observed.engines.get(name)
        if isinstance(engine, Engine) and engine.state in ("paused", "tripped"):
            call(fleet.workspace.control_socket(name), "resume", {"who": caller()})
            fleet.progress(f"{name} resumed")
        elif not generation.bots[name].enabled:
            fleet.progress(f"{name} does not start: its file says `enabled: false`")
        elif isinstance(engine, Engine) and name not in held:
            fleet.progress(f"{name} runs already")


def _tripped(fleet: Fleet, names: Sequence[str]) -> dict[str, Hold]:
    """Those that a limit took out of trade, whoever has held them since. A hold that cannot be read is none of
    these: starting or stopping its bot is what replaces it."""
    tripped: dict[str, Hold] = {}
    for name in names:
        with suppress(StateDamaged):
            hold = read_hold(fleet.workspace, name)
            if hold is not None and hold.tripped:
                tripped[name] = hold
    return tripped


def _still_tripped(tripped: dict[str, Hold]) -> Refused:
    words = "; ".join(f"{name} tripped: {hold.tripped}" for name, hold in sorted(tripped.items()))
    return Refused(words, hint=f"look at it first; `botctl resume {' '.join(sorted(tripped))}` lifts the hold")


def restart(fleet: Fleet, names: Sequence[str], *, why: str = "") -> None:
    """Stop and start in one go; a held bot stays as it is and is an error."""
    known = applied_names(fleet, names)
    held = [name for name in known if read_hold(fleet.workspace, name)]
    if held:
        raise Conflict(f"held: {', '.join(held)}", hint=f"lift the hold with `botctl resume {' '.join(held)}`")
    with recorded(fleet.workspace, "restart", bots=list(known), why=why):
        _converge_only(fleet, known, verb="restart")


def make_true(fleet: Fleet, *, verb: str) -> bool:
    """Carry out what the generation in force asks of a fleet that lives through a reboot or the end of its
    supervisor. Whether there was anything to do; only then it is recorded."""
    fleet.workspace.prepare()
    with writer_lock(fleet.workspace, verb):
        generation = applied_generation(fleet)
        run = _towards(fleet, generation)
        if not run.plan.changes:
            return False
        actions = [f"{action.kind} {action.subject} {action.name}" for action in run.plan.changes]
        with recorded(fleet.workspace, verb, write=note, generation=generation.number, actions=actions):
            converge(run)
        return True


def applied_generation(fleet: Fleet) -> Generation:
    """The generation in force; Conflict when nothing was applied yet."""
    generation = read_current(fleet.workspace)
    if generation is None:
        raise Conflict("nothing was applied yet", hint="run `botctl apply` first")
    return generation


def applied_names(fleet: Fleet, names: Sequence[str], exclude: Sequence[str] | None = None) -> tuple[str, ...]:
    """The bots selected, each once; all of them when nothing is. UsageError for a selector that means none."""
    applied = applied_generation(fleet).bots
    meant = selection(names, exclude).names({name: (spec,) for name, spec in applied.items()})
    return tuple(sorted(meant))


def _require_nothing_left(fleet: Fleet, names: Sequence[str]) -> None:
    """A bot that had crashed before it was stopped could not cancel anything."""
    generation = applied_generation(fleet)
    left = remains_of(fleet.workspace, generation.fleet.id, [generation.bots[name] for name in names])
    if left:
        words = "; ".join(f"{name}: {why}" for name, why in sorted(left.items()))
        raise BotctlError(
            f"held, but {words}",
            hint=f"`botctl start {' '.join(sorted(left))}` and then stop again: a bot that runs cancels its orders",
        )


def _converge_only(
    fleet: Fleet, names: Sequence[str], *, verb: str, first: Callable[[], None] = lambda: None
) -> Observed:
    """Carry out what the generation in force asks of these bots, and of the simulators they need."""
    fleet.workspace.prepare()
    with writer_lock(fleet.workspace, verb):
        first()
        run = _towards(fleet, applied_generation(fleet))
        plan = run.plan.only(names)
        if verb == "restart":
            forced = tuple(_forced(action, run.desired) for action in plan.actions)
            plan = msgspec.structs.replace(plan, actions=forced)
        converge(dataclasses.replace(run, plan=plan))
        return run.observed


def _towards(fleet: Fleet, generation: Generation) -> Run:
    """All that this generation asks for at present; Unavailable where that cannot be seen."""
    desired, observed = desired_of(generation), observe(fleet)
    plan = diff(desired, observed)
    require_plannable(plan)
    return Run(fleet=fleet, plan=plan, desired=desired, observed=observed)


def _forced(action: Action, desired: Desired) -> Action:
    """A restart was asked for: also when nothing differs. What is down is started anyway."""
    is_bot = action.subject is Subject.BOT and desired.bots[action.name].spec.enabled
    if is_bot and action.kind in (Kind.NONE, Kind.UPDATE, Kind.RECORD):
        return msgspec.structs.replace(action, kind=Kind.RESTART, reason="asked for")
    return action
