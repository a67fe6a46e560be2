"""Which risks a plan takes that `--yes` does not answer, and whether they were taken by their words.

What is at stake is judged by what was applied, never by the files alone: a line that was deleted still protects.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal

from engine.errors import Refused
from engine.model.instrument import plain
from engine.model.value import Value
from engine.plan.actions import Action, Kind, Plan, Subject
from engine.plan.desired import Desired
from engine.plan.freezes import Freeze
from engine.plan.money import LegMoney, PositionEffect
from engine.plan.observed import Observed, Unknown
from engine.plan.renames import renames
from engine.plan.risk_words import RiskWord
from engine.plan.waves import stake_usd
from engine.spec.types import BASE, BotSpec, Environment, RolloutSpec


class RiskFound(Value, frozen=True, kw_only=True):
    """One risk that a plan takes, in words."""

    risk: RiskWord
    why: str


def risks_of(plan: Plan, desired: Desired, observed: Observed, freezes: Iterable[Freeze]) -> tuple[RiskFound, ...]:
    """Everything about carrying out this plan now that wants a word of its own."""
    applied = observed.applied.bots if observed.applied else {}
    declared = {name: bot.spec for name, bot in desired.bots.items()}
    found = [
        *mainnet(applied.values(), declared.values()),
        *_other_environment(plan),
        *_protected(plan, applied, {one.old for one in renames(desired, observed)}),
        *_unprotected(plan, desired, applied),
        *_flattened(plan),
        *_emptied(plan, applied, declared),
        *(_frozen(freeze) for freeze in freezes if _changes(plan)),
    ]
    if desired.fleet.rollout is not None:
        found += _too_much(_changes(plan), desired.fleet.rollout, {**applied, **declared}, observed)
    return tuple(found)


def require_accepted(found: Iterable[RiskFound], accepted: Collection[str]) -> None:
    """Refused with every risk that nobody took yet, and with the words that take them."""
    all_ = tuple(found)
    open_ = [one for one in all_ if one.risk not in accepted]
    if open_:
        words = sorted({one.risk for one in all_})
        raise Refused(
            "; ".join(one.why for one in open_),
            hint=f"nothing was changed; if that is what you want, add --accept {','.join(words)}",
        )


def _changes(plan: Plan) -> list[Action]:
    """Of bots, and felt by them."""
    return [action for action in plan.changes if action.subject is Subject.BOT and action.kind is not Kind.RECORD]


def mainnet(applied: Iterable[BotSpec], declared: Iterable[BotSpec]) -> Iterator[RiskFound]:
    """Real money, on accounts where it was never meant before."""
    new = _live_accounts(declared) - _live_accounts(applied)
    if new:
        words = f"accounts that have never traded real money from here: {', '.join(sorted(new))}"
        yield RiskFound(risk=RiskWord.MAINNET, why=words)


def _live_accounts(specs: Iterable[BotSpec]) -> set[str]:
    return {
        account.name
        for spec in specs
        for account in spec.accounts.values()
        if account.environment is Environment.MAINNET
    }


def _other_environment(plan: Plan) -> Iterator[RiskFound]:
    """It may be a forgotten --env."""
    if plan.changes_env:
        before, after = plan.env_in_force or BASE, plan.env or BASE
        words = f"the fleet runs environment {before}, and this would make it {after} (--env {before} keeps it)"
        yield RiskFound(risk=RiskWord.ENV, why=words)


def _protected(plan: Plan, applied: Mapping[str, BotSpec], renamed: Collection[str]) -> Iterator[RiskFound]:
    """By what was applied last: the file may be gone, or say something else by now. One that goes on under another
    name loses nothing."""
    for action in _changes(plan):
        was = applied.get(action.name) if action.name not in renamed else None
        if was is not None and was.protected and action.kind in (Kind.RETIRE, Kind.REPLACE):
            why = f"{action.name} is protected, and this would {action.kind} it"
            yield RiskFound(risk=RiskWord.PROTECTED, why=why)


def _unprotected(plan: Plan, desired: Desired, applied: Mapping[str, BotSpec]) -> Iterator[RiskFound]:
    """Who takes the line out of a file means it; who goes back to before it was written may not think of it."""
    if desired.came_from is None:
        return
    kept = {name for name, bot in desired.bots.items() if bot.spec.protected}
    for action in plan.actions:
        is_guarded = action.name in applied and applied[action.name].protected
        if is_guarded and action.name in desired.bots and action.name not in kept:
            why = f"{action.name} is protected, and was not yet in generation {desired.came_from}"
            yield RiskFound(risk=RiskWord.PROTECTED, why=f"{why}: its protection would go")


def _flattened(plan: Plan) -> Iterator[RiskFound]:
    """A position that may be there counts as there."""
    for action in _changes(plan):
        legs = action.money.legs.values()
        if action.money.position is PositionEffect.FLATTENED and not all(_is_flat(leg) for leg in legs):
            why = f"{action.name} would be taken out of the market: its stop_policy is flatten"
            yield RiskFound(risk=RiskWord.FLATTEN, why=why)


def _is_flat(leg: LegMoney) -> bool:
    return leg.position is not None and not Decimal(leg.position)


def _emptied(plan: Plan, applied: Mapping[str, BotSpec], declared: Mapping[str, BotSpec]) -> Iterator[RiskFound]:
    if applied and not declared and plan.of(Subject.BOT, Kind.RETIRE):
        count = f"{len(applied)} bot{'s' * (len(applied) != 1)}"
        yield RiskFound(risk=RiskWord.EMPTY, why=f"bots/ declares no bot at all, and {count} would be retired")


def _frozen(freeze: Freeze) -> RiskFound:
    why = f"frozen until {freeze.until:%Y-%m-%d %H:%M} UTC: {freeze.why}"
    return RiskFound(risk=RiskWord.FREEZE, why=why)


def _too_much(
    changes: list[Action], policy: RolloutSpec, specs: Mapping[str, BotSpec], observed: Observed
) -> Iterator[RiskFound]:
    words = [
        _too_many(changes, policy),
        _too_many_stop(changes, policy, observed),
        _too_big(changes, policy, specs),
    ]
    for why in words:
        if why:
            yield RiskFound(risk=RiskWord.BLAST_RADIUS, why=why)


def _too_many(changes: list[Action], policy: RolloutSpec) -> str:
    if policy.max_changes is None or len(changes) <= policy.max_changes:
        return ""
    return f"{len(changes)} bots would change, rollout.max_changes is {policy.max_changes}"


def _too_many_stop(changes: list[Action], policy: RolloutSpec, observed: Observed) -> str:
    up = {} if isinstance(observed.processes, Unknown) else observed.processes
    running = {name for name, process in up.items() if process.is_up}
    stopped = {action.name for action in changes if action.kind.stops_process} & running
    most = policy.max_stopped_pct
    if most is None or len(stopped) * 100 <= most * len(running):
        return ""
    of = f"{len(stopped)} of {len(running)} running bots"
    return f"{of} would stop, rollout.max_stopped_pct is {plain(most)}"


def _too_big(changes: list[Action], policy: RolloutSpec, specs: Mapping[str, BotSpec]) -> str:
    most = policy.max_notional_usd
    stake = stake_usd(specs.get(action.name) for action in changes)
    if most is None or (stake is not None and stake <= most):
        return ""
    size = "unknown: some have no risk.max_open_notional_usd" if stake is None else f"{plain(stake)} in quote"
    return f"what may be open of the bots that change is {size}; rollout.max_notional_usd is {plain(most)}"
