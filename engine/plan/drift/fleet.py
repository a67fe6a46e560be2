"""Drift inside the fleet: the files against the generation in force, and that against what runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from engine.plan.actions import Action, FieldChange, Subject
from engine.plan.actions import Kind as ActionKind
from engine.plan.compare import BotDifference, compare
from engine.plan.desired import Desired
from engine.plan.diff import diff
from engine.plan.drift.evidence import Evidence, Left
from engine.plan.drift.findings import NOTED, Finding, Kind, Means, Unlooked, Way
from engine.plan.observed import Unknown
from engine.plan.view import view
from engine.plan.words import listed

PATHS_MAX = 3


def of_files(evidence: Evidence, names: Collection[str]) -> Iterator[Finding | Unlooked]:
    """What the files say, and nobody applied."""
    declared, applied = evidence.declared, evidence.applied
    if isinstance(declared, Unknown):
        yield Unlooked(whose="fleet", what="the files", why=declared.why)
        return
    if applied is None:
        yield from (_never_applied(name, declared) for name in sorted(declared.bots) if name in names)
        return
    differences = compare(applied, declared)
    if differences.fleet:
        found = f"fleet.yaml differs: {_paths(differences.fleet)}"
        yield _declared("", found, expected=_generation(evidence), place="bots/fleet.yaml")
    for one in differences.bots:
        if one.name in names:
            yield _difference(one, evidence, declared)


def of_processes(evidence: Evidence, names: Collection[str]) -> Iterator[Finding | Unlooked]:
    """What was applied, and does not run so: the plan that would make the generation in force true again."""
    left = evidence.applied or _nothing_of(evidence.declared)
    if left is None:
        return
    for action in diff(left, evidence.observed).actions:
        if action.subject is not Subject.BOT or action.name not in names:
            continue
        if action.kind.is_change:
            yield _process(action, evidence)
        elif isinstance(evidence.observed.processes, Unknown):
            yield Unlooked(whose=action.name, what="its process", why=action.reason)
        elif why := _silence(action.name, evidence):
            yield Unlooked(whose=action.name, what="its engine", why=why)


def of_left(left: Left) -> Finding:
    """Orders of a bot that no generation holds: nothing of the fleet takes them up."""
    name, legs = left.spec.name, left.spec.legs.values()
    return Finding(
        kind=Kind.ORPHAN_ORDER,
        bot=name,
        account=", ".join(sorted({leg.account for leg in legs})),
        market=", ".join(sorted({leg.market for leg in legs})),
        expected="no order of a bot that was run in the foreground and does not run",
        found=f"{left.orders} of its orders may rest",
        source="its journal",
        needs_person=True,
        means={
            Way.ADOPT: Means(words=_GOES_ON, is_possible=False, instead="type what started it again"),
            Way.REVERT: Means(words=_IS_OF_NO_PLAN, is_possible=False, instead=f"botctl halt {name}"),
            Way.IGNORE: NOTED,
        },
    )


_GOES_ON = "it takes them up where it left them when it is run again"
_IS_OF_NO_PLAN = "they are cancelled at the venue"


def _nothing_of(declared: Desired | Unknown) -> Desired | None:
    """What was left before the first apply: no bot."""
    return None if isinstance(declared, Unknown) else Desired(fleet=declared.fleet, bots={})


def _silence(name: str, evidence: Evidence) -> str:
    """Why an engine whose process is up says nothing; empty when it speaks, or none is up."""
    seen = view(name, evidence.observed)
    if isinstance(seen.engine, Unknown):
        return seen.engine.why
    return "its process is up, and its engine does not answer yet" if seen.is_up and seen.engine is None else ""


def _never_applied(name: str, declared: Desired) -> Finding:
    return _declared(name, "nothing was applied", expected="as declared", place=declared.bots[name].file)


def _difference(one: BotDifference, evidence: Evidence, declared: Desired) -> Finding:
    generation, wanted = _generation(evidence), declared.bots.get(one.name)
    if wanted is None:
        return _declared(one.name, "no file declares it any more", expected=generation, place="")
    if not one.changes:
        return _declared(one.name, "declared, and never applied", expected=generation, place=wanted.file)
    found = f"the files differ: {_paths(one.changes)}"
    return _declared(one.name, found, expected=generation, place=one.changes[0].place)


def _paths(changes: tuple[FieldChange, ...]) -> str:
    return listed([f"{change.path} {change.before} → {change.after}" for change in changes], PATHS_MAX)


def _declared(bot: str, found: str, *, expected: str, place: str) -> Finding:
    apply = f"botctl apply {bot}".strip()
    return Finding(
        kind=Kind.DECLARED,
        bot=bot,
        expected=expected,
        found=found,
        source="the files",
        place=place,
        means={
            Way.ADOPT: Means(words="what the files say is applied by a plan", is_possible=False, instead=apply),
            Way.REVERT: Means(
                words="files are put back where they are edited", is_possible=False, instead="git restore bots/"
            ),
            Way.IGNORE: NOTED,
        },
    )


def _process(action: Action, evidence: Evidence) -> Finding:
    generation = _generation(evidence)
    if action.before is not None and action.after is not None and action.before != action.after:
        differs = f" (differs in {_paths(action.changes)})" if action.changes else ""
        return Finding(
            kind=Kind.FINGERPRINT,
            bot=action.name,
            expected=f"{action.after}, {generation}",
            found=f"it runs {action.before}{differs}",
            source="its engine",
            means={
                Way.ADOPT: _IN_NO_FILE,
                Way.REVERT: Means(words="is restarted with what was applied; its position is kept"),
                Way.IGNORE: NOTED,
            },
        )
    return Finding(
        kind=Kind.PROCESS,
        bot=action.name,
        expected=generation,
        found=_how_it_runs(action),
        source="the supervisor",
        means={
            Way.ADOPT: _as_it_runs(action),
            Way.REVERT: Means(words="is what apply does", is_possible=False, instead=f"botctl apply {action.name}"),
            Way.IGNORE: NOTED,
        },
    )


def _how_it_runs(action: Action) -> str:
    if action.kind is ActionKind.RETIRE:
        return "it runs, and was not applied"
    return f"it runs although {action.reason}" if action.kind is ActionKind.STOP else action.reason


_IN_NO_FILE = Means(
    words="what it runs is in no file", is_possible=False, instead="write it there, then botctl apply"
)


def _as_it_runs(action: Action) -> Means:
    if action.kind is ActionKind.RETIRE:
        return _IN_NO_FILE
    if action.kind is ActionKind.STOP:
        words, instead = "what is held or disabled does not run", f"botctl start {action.name}"
    else:
        words, instead = "what shall not run is held, or disabled in its file", f"botctl stop {action.name}"
    return Means(words=words, is_possible=False, instead=instead)


def _generation(evidence: Evidence) -> str:
    applied = evidence.observed.applied
    return f"as in generation {applied.generation}" if applied else "nothing"
