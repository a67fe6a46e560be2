"""`diff(desired, observed) -> Plan`: the whole present compared with the declaration, bot by bot.

Level-triggered: nothing is remembered from earlier runs, so an interrupted apply is finished by the next one
and a plan straight after an apply is empty.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from engine.plan import simulators
from engine.plan.actions import Action, FieldChange, Kind, Plan
from engine.plan.desired import Desired, DesiredBot
from engine.plan.fields import field_changes, strongest_impact
from engine.plan.objections import objections
from engine.plan.observed import Engine, Held, Observed, ProcessState, Unknown
from engine.plan.stake import dropped, stake
from engine.plan.view import BotView, views
from engine.plan.waves import waves
from engine.spec.fingerprint import says_the_same
from engine.spec.impact import Impact
from engine.spec.types import Environment

_KINDS = {Impact.RESTART: Kind.RESTART, Impact.REPLACE: Kind.REPLACE}


def diff(desired: Desired, observed: Observed) -> Plan:
    """What apply would do to make the present what the fleet's files say."""
    names = {*desired.bots, *observed.engines}
    names |= set(observed.applied.bots) if observed.applied else set()
    names |= set(observed.processes) if not isinstance(observed.processes, Unknown) else set()
    venues = simulators.actions(desired, observed)
    over = frozenset(venue.name for venue in venues if venue.kind is Kind.RESTART)
    seen = views(names, desired, observed)
    bots = [_action(desired.bots.get(name), seen[name], over, desired.without) for name in sorted(names)]
    plan = Plan(
        fleet=desired.fleet.id,
        env=desired.fleet.env,
        env_in_force=observed.applied.fleet.env if observed.applied else None,
        generation=observed.applied.generation if observed.applied else None,
        actions=(*venues, *bots),
        trouble=tuple(_trouble(observed)),
        objections=objections(desired.bots, bots),
    )
    return replace(plan, waves=waves(plan, desired, observed))


def _trouble(observed: Observed) -> Iterator[str]:
    if isinstance(observed.processes, Unknown):
        yield f"the process supervisor does not answer: {observed.processes.why}"


def _action(wanted: DesiredBot | None, seen: BotView, over: frozenset[str], without: str) -> Action:
    if seen.process_unknown:
        return _undecided(wanted, seen)
    if wanted is None:
        return _removed(seen, without)
    return _declared(wanted, seen, over) if wanted.spec.enabled else _disabled(wanted, seen)


def _declared(wanted: DesiredBot, seen: BotView, over: frozenset[str]) -> Action:
    if seen.hold:
        return _held(wanted, seen, seen.hold)
    if seen.finished_as == wanted.fingerprint and not seen.is_up:
        return _still(wanted, seen, "finished: its declared duration is over")
    if seen.is_supervised and seen.process_state is ProcessState.RUNNING:
        return _running(wanted, seen, over)
    return _down(wanted, seen)


def _undecided(wanted: DesiredBot | None, seen: BotView) -> Action:
    return Action(
        name=seen.name,
        kind=Kind.UNKNOWN,
        reason="whether it runs is unknown: the process supervisor does not answer",
        before=seen.fingerprint,
        after=wanted.fingerprint if wanted else None,
    )


def _removed(seen: BotView, without: str) -> Action:
    """The bot is declared no more: its process goes, its journal and logs stay."""
    renamed = f"renamed: {seen.goes_on_as} takes over its position, journal, owner tag and hold"
    return Action(
        name=seen.name,
        kind=Kind.RETIRE,
        reason=renamed if seen.goes_on_as else without,
        before=seen.fingerprint,
        money=stake(seen, Kind.RETIRE),
    )


def _disabled(wanted: DesiredBot, seen: BotView) -> Action:
    if seen.is_up:
        return _act(Kind.STOP, wanted, seen, "enabled: false", place=wanted.place("enabled"), after=None)
    return _still(wanted, seen, "disabled: no process, its state is kept")


def _held(wanted: DesiredBot, seen: BotView, hold: Held) -> Action:
    """Nothing starts, and nothing new reaches a paused process; one that should not run any more is stopped."""
    if seen.is_up and not hold.keeps_running:
        return _act(Kind.STOP, wanted, seen, hold.words, after=None)
    return _act(Kind.HOLD, wanted, seen, hold.words)


def _running(wanted: DesiredBot, seen: BotView, over: frozenset[str]) -> Action:
    """A supervised process is up: compare what it runs with what is declared."""
    is_same = seen.fingerprint == wanted.fingerprint
    changes = () if is_same else _changes(wanted, seen)
    kind = _KINDS.get(strongest_impact(changes), Kind.NONE if is_same else Kind.UPDATE)
    gone = _simulated_on(wanted, over)
    if kind is not Kind.REPLACE and gone:
        action = _act(Kind.RESTART, wanted, seen, "its simulated venue starts over")
        return replace(action, money=dropped(action.money, gone))
    if is_same:
        return _same(wanted, seen)
    if not changes:
        return _act(Kind.RESTART, wanted, seen, "runs settings that are no longer known here")
    return _act(kind, wanted, seen, _because(kind, changes), place=changes[0].place)


def _same(wanted: DesiredBot, seen: BotView) -> Action:
    """What it runs by its own words is what is declared. Of one that says nothing only the generation is known: it
    may have missed a reload. One that does not listen yet is about to read that generation."""
    if isinstance(seen.engine, Unknown) and not _is_unrecorded(wanted, seen):
        words = f"does not answer ({seen.engine.why}): it may run earlier settings; see `botctl logs {seen.name}`"
        return _act(Kind.UNKNOWN, wanted, seen, f"{words}, and `botctl restart {seen.name}` if it stays so")
    return _still(wanted, seen, "does not listen yet; its generation is the declared one" if seen.is_mute else "")


def _simulated_on(wanted: DesiredBot, venues: frozenset[str]) -> set[str]:
    """The legs that trade on simulators of these venues."""
    accounts = {name: wanted.spec.accounts[leg.account] for name, leg in wanted.spec.legs.items()}
    simulated = {name: one for name, one in accounts.items() if one.environment is Environment.SIM}
    return {name for name, account in simulated.items() if account.venue in venues}


def _because(kind: Kind, changes: tuple[FieldChange, ...]) -> str:
    """Names the setting that decides how much has to happen."""
    if kind is Kind.UPDATE:
        return "same process, new settings"
    deciding = [change.path for change in changes if change.impact == kind]
    return f"{', '.join(deciding)} cannot change in a running process"


def _down(wanted: DesiredBot, seen: BotView) -> Action:
    """Declared, enabled, not held, and no supervised process is up."""
    if isinstance(seen.engine, Engine):
        reason = f"runs unsupervised as process {seen.engine.pid}, which is stopped first"
    elif not seen.is_applied:
        came_from = f"renamed from {seen.came_from}: " if seen.came_from else ""
        return _act(Kind.CREATE, wanted, seen, came_from + _what(wanted), place=wanted.file)
    else:
        reason = seen.why_down
    return _act(Kind.START, wanted, seen, reason)


def _what(wanted: DesiredBot) -> str:
    """A new bot in a few words."""
    legs = ", ".join(f"{leg.venue} {leg.market} (account {leg.account})" for leg in wanted.spec.legs.values())
    return f"{wanted.spec.strategy.kind} on {legs}"


def _still(wanted: DesiredBot, seen: BotView, reason: str) -> Action:
    """Nothing for the process to feel; the generation may still have words to record."""
    kind = Kind.RECORD if _is_unrecorded(wanted, seen) else Kind.NONE
    words = reason or ("up to date" if kind is Kind.NONE else "recorded only, the process does not feel it")
    return _act(kind, wanted, seen, words)


def _is_unrecorded(wanted: DesiredBot, seen: BotView) -> bool:
    return not says_the_same(seen.applied, wanted.spec)


def _act(
    kind: Kind,
    wanted: DesiredBot,
    seen: BotView,
    reason: str,
    *,
    place: str = "",
    after: str | None = "",
) -> Action:
    return Action(
        name=seen.name,
        kind=kind,
        reason=reason,
        place=place,
        before=seen.fingerprint,
        after=wanted.fingerprint if after == "" else after,
        changes=_changes(wanted, seen),
        money=stake(seen, kind, wanted.spec),
    )


def _changes(wanted: DesiredBot, seen: BotView) -> tuple[FieldChange, ...]:
    before = seen.spec
    return field_changes(before, wanted) if before else ()
