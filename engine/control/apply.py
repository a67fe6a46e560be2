"""Makes the declared fleet true: the plan again under the lock, a new generation, and then what the plan says."""

from __future__ import annotations

from collections.abc import Callable, Collection
from decimal import Decimal
from functools import partial

from msgspec.structs import replace

from engine.control.audit import record, recorded
from engine.control.backends.interface import ShutDown
from engine.control.converge import Run, converge
from engine.control.desired import resolve_desired
from engine.control.events import GenerationSwitched, GenerationWritten, Planned
from engine.control.facts import fetch_missing_facts
from engine.control.fleet import Fleet
from engine.control.generations import (
    Deed,
    close_interrupted,
    forget_old,
    outcome_kept,
    switch_to,
    write_generation,
)
from engine.control.keys import require_keys
from engine.control.lock import writer_lock
from engine.control.observe import observe
from engine.control.policy import judged
from engine.control.programs import programs_of
from engine.control.renaming import carry_holds, require_renamable
from engine.control.risks import find_risks
from engine.control.rollout import gate_of, roll_out
from engine.errors import Refused, StalePlan, Unavailable
from engine.host.holds import lift_hold
from engine.host.workspace import Workspace
from engine.plan.actions import Kind, Plan, Subject
from engine.plan.desired import Desired
from engine.plan.diff import diff
from engine.plan.findings import Finding
from engine.plan.observed import Engine, Observed
from engine.plan.renames import Rename, renames
from engine.plan.render import objection_text
from engine.plan.risks import require_accepted
from engine.plan.upholding import require_rules, require_upheld
from engine.plan.words import in_few_words
from engine.spec.types import BASE

APPLY = Deed()
Said = tuple[Collection[str], Collection[str]]
"""The risks and the rules of the policy that whoever applies takes upon himself."""
TOLERANCE_PCT = Decimal(10)
"""How far the money that leaves the market may move between the question and the answer."""


def apply(
    fleet: Fleet,
    desired: Desired,
    agree: Callable[[Plan], None],
    *,
    accepted: Collection[str] = (),
    deed: Deed = APPLY,
    only: Collection[str] = (),
) -> Plan:
    """Carry out what the present asks for, once `agree` has seen that plan and raised nothing.

    `agree` is called under the lock: nothing changes between its answer and the deed. `only` narrows the plan
    to some bots: `destroy` uses that.
    """
    require_rules(desired.fleet.policy, deed.warrant.overrides, deed.why)
    fleet.workspace.prepare()
    with writer_lock(fleet.workspace, deed.verb) as lock:
        observed = observe(fleet)
        plan = diff(desired, observed).only(only)
        plan = judged(fleet.workspace, plan, desired, observed, deed.warrant)
        _require_possible(fleet.workspace, plan, desired, observed)
        agree(plan)
        lifted = _require_answered(fleet.workspace, plan, desired, observed, (accepted, deed.warrant.overrides))
        deed = replace(deed, overridden=tuple(found.message for found in lifted))
        fleet.events(Planned(plan=plan))
        if plan.changes or not _is_recorded(desired, observed):
            lock.carries(in_few_words(plan))
            roll_out(fleet, desired, plan, observed, carry_out=partial(_carry_out, fleet), deed=deed)
        elif not only and (number := close_interrupted(fleet.workspace)):
            record(
                fleet.workspace, deed.verb, result="done", generation=number, why="finishes what was interrupted"
            )
        return plan


def as_shown(shown: Plan) -> Callable[[Plan], None]:
    """Agrees to what a person saw and to nothing else: StalePlan when the present asks for other actions."""

    def agree(plan: Plan) -> None:
        if not plan.is_same_as(shown) or plan.money_moved(shown, TOLERANCE_PCT):
            raise StalePlan(
                "the fleet changed since this plan was made",
                hint="run `botctl plan` again and look at the difference",
            )

    return agree


def require_allowed(
    fleet: Fleet,
    desired: Desired,
    observed: Observed,
    *,
    accepted: Collection[str] = (),
    overrides: Collection[str] = (),
) -> Callable[[Plan], None]:
    """Refuses a plan that `apply` would refuse, with the same words: so that nobody is asked in vain."""

    def require(plan: Plan) -> None:
        _require_possible(fleet.workspace, plan, desired, observed)
        _require_answered(fleet.workspace, plan, desired, observed, (accepted, overrides))

    return require


def _require_possible(workspace: Workspace, plan: Plan, desired: Desired, observed: Observed) -> None:
    """What nobody can carry out need not be agreed to."""
    require_plannable(plan)
    require_renamable(workspace, renames(desired, observed))


def _require_answered(
    workspace: Workspace, plan: Plan, desired: Desired, observed: Observed, said: Said
) -> tuple[Finding, ...]:
    """What the policy has against the plan and somebody overrides, for the record; Refused for what nobody does,
    for risks that nobody took, and for bots that could not start for want of a key."""
    accepted, overrides = said
    lifted = require_upheld(plan, overrides)
    require_accepted(find_risks(workspace, plan, desired, observed), accepted)
    require_keys(workspace, plan, desired)
    return lifted


def require_plannable(plan: Plan) -> None:
    """What could not be observed is not acted upon (law 1), nor what cannot be meant."""
    if plan.trouble:
        raise Unavailable("; ".join(plan.trouble), hint="nothing was changed; try again when it answers")
    errors = [objection_text(objection) for objection in plan.objections if objection.is_error]
    if errors:
        raise Refused("\n".join(errors), hint="lower the bots' limits, or change what their account allows")


def _carry_out(fleet: Fleet, desired: Desired, plan: Plan, observed: Observed, deed: Deed) -> None:
    workspace = fleet.workspace
    _learn_facts(fleet, desired, plan)
    conf = fleet.backend.render(programs_of(desired), desired.fleet.max_programs)
    number = write_generation(workspace, desired, conf=conf, plan=plan, deed=deed)
    fleet.events(GenerationWritten(generation=number))
    actions = [f"{action.kind} {action.subject} {action.name}" for action in plan.changes]
    with (
        recorded(
            workspace,
            deed.verb,
            generation=number,
            came_from=deed.came_from,
            why=deed.why,
            overridden=list(deed.overridden),
            saved_plan=deed.warrant.plan_hash,
            actions=actions,
        ),
        outcome_kept(workspace, number),
    ):
        converge(
            Run(
                fleet=fleet,
                plan=plan,
                desired=desired,
                observed=observed,
                commit=partial(_commit, fleet, plan, number, renames(desired, observed)),
                gate=gate_of(desired.fleet.rollout),
            )
        )
        if not desired.bots and not desired.simulators:
            fleet.backend.execute(ShutDown(), fleet.progress)
    _forget_old(fleet, observed)


def _forget_old(fleet: Fleet, observed: Observed) -> None:
    """As long as an engine does not say what it runs, nothing is removed."""
    engines = [engine for engine in observed.engines.values() if isinstance(engine, Engine)]
    if len(engines) == len(observed.engines):
        forget_old(fleet.workspace, {engine.generation for engine in engines if engine.generation is not None})


def _learn_facts(fleet: Fleet, desired: Desired, plan: Plan) -> None:
    """Nothing starts on ticks and lots that nobody checked: what was learned now is checked now."""
    names = plan.of(Subject.BOT, Kind.CREATE, Kind.START, Kind.UPDATE, Kind.RESTART, Kind.REPLACE)
    if fetch_missing_facts(fleet, [desired.bots[name].spec for name in names]):
        resolve_desired(fleet.workspace, fleet.progress, desired.fleet.env or BASE)


def _commit(fleet: Fleet, plan: Plan, number: int, renamed: tuple[Rename, ...]) -> None:
    """From here on every start, also after a crash, means the new generation."""
    carry_holds(fleet.workspace, renamed)
    switch_to(fleet.workspace, number)
    for name in plan.of(Subject.BOT, Kind.RETIRE):
        lift_hold(fleet.workspace, name)
    fleet.events(GenerationSwitched(generation=number))
    fleet.progress(f"generation {number} is in force")


def _is_recorded(desired: Desired, observed: Observed) -> bool:
    """Whether the generation in force says exactly what is declared, also for held bots."""
    applied = observed.applied
    specs = {name: bot.spec for name, bot in desired.bots.items()}
    return applied is not None and applied.bots == specs and applied.fleet == desired.fleet
