"""`waves(plan, desired, observed)`: in which steps a plan is carried out, as `rollout` of fleet.yaml asks.

Bonds (`engine.plan.bonds`) are never parted, so order comes before `max_unavailable`. No waves at all: everything
at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from msgspec.structs import replace

from engine.model.instrument import plain
from engine.plan.actions import Kind, Plan, Subject, Wave
from engine.plan.bonds import LEAVING, Bond, Touched, awaited, bonds
from engine.plan.desired import Desired
from engine.plan.observed import Observed
from engine.spec.types import BotSpec, CanarySpec, RolloutSpec


def waves(plan: Plan, desired: Desired, observed: Observed) -> tuple[Wave, ...]:
    """The plan's changes in steps; each is carried out, and judged, before the next begins."""
    policy = desired.fleet.rollout
    if policy is None:
        return ()
    touched = _touched(plan, desired, observed)
    chosen = _chosen(policy.canary, touched)
    order = bonds(touched, chosen)
    canary = awaited(chosen, order, touched)
    rest = [bond for bond in order if bond not in canary or not touched.is_leaving(bond)]
    steps = [Wave(bots=names) for names in _filled(rest, policy, touched)]
    if canary and policy.canary:
        bots = tuple(sorted(name for bond in canary for name in bond))
        steps.insert(0, Wave(bots=bots, canary=True, words=_canary_words(policy.canary)))
    return _with_simulators(steps, plan, touched) if len(steps) > 1 else ()


def stake_usd(specs: Iterable[BotSpec | None]) -> Decimal | None:
    """The most that may be open by these bots' own limits; None as soon as one has no such limit."""
    limits = [spec.risk.max_open_notional_usd if spec else None for spec in specs]
    known = [limit for limit in limits if limit is not None]
    return sum(known, Decimal(0)) if len(known) == len(limits) else None


def canaries(policy: CanarySpec, changed: Mapping[str, BotSpec]) -> tuple[str, ...]:
    """Which of the changed bots go first."""
    able = [name for name, spec in sorted(changed.items()) if policy.labels.items() <= spec.labels.items()]
    if isinstance(policy.bots, tuple):
        return tuple(name for name in able if name in policy.bots)
    most = policy.bots if policy.bots is not None else (len(able) if policy.labels else 1)
    return tuple(able[:most])


def wave_lines(waves: Sequence[Wave]) -> list[str]:
    """A plan's waves for people; nothing where everything is done at once."""
    if not waves:
        return []
    head = f"  rollout in {len(waves)} waves, each healthy before the next begins"
    return [head, *(f"    {number}  {_words(wave)}" for number, wave in enumerate(waves, 1))]


def _words(wave: Wave) -> str:
    simulators = [f"simulator {venue}" for venue in wave.simulators]
    return ", ".join([*simulators, *wave.bots]) + (f": {wave.words}" if wave.words else "")


def _canary_words(policy: CanarySpec) -> str:
    return f"canary at {plain(policy.size_pct)} % of the size for {plain(policy.for_s)} s"


def _touched(plan: Plan, desired: Desired, observed: Observed) -> Touched:
    return Touched(
        actions={
            action.name: action
            for action in plan.changes
            if action.subject is Subject.BOT and action.kind is not Kind.RECORD
        },
        before=observed.applied.bots if observed.applied else {},
        after={name: bot.spec for name, bot in desired.bots.items()},
        restarting=plan.of(Subject.SIMULATOR, Kind.RESTART),
    )


def _chosen(policy: CanarySpec | None, touched: Touched) -> tuple[str, ...]:
    if policy is None:
        return ()
    staying = [name for name, action in touched.actions.items() if action.kind not in LEAVING]
    return canaries(policy, {name: touched.after[name] for name in staying})


def _filled(order: Iterable[Bond], policy: RolloutSpec, touched: Touched) -> Iterator[Bond]:
    """Neighbouring bonds together, as far as the policy lets them."""
    wave: list[str] = []
    for bond in order:
        if wave and not _fits([*wave, *bond], policy, touched):
            yield tuple(sorted(wave))
            wave = []
        wave += bond
    if wave:
        yield tuple(sorted(wave))


def _fits(names: Iterable[str], policy: RolloutSpec, touched: Touched) -> bool:
    """Those that leave are not unavailable: nobody wants them any more."""
    counted = [name for name in names if touched.actions[name].kind not in LEAVING]
    if policy.max_unavailable is not None and len(counted) > policy.max_unavailable:
        return False
    if policy.max_unavailable_usd is None or not counted:
        return True
    stake = stake_usd(touched.after[name] for name in counted)
    return stake is not None and stake <= policy.max_unavailable_usd


def _with_simulators(steps: list[Wave], plan: Plan, touched: Touched) -> tuple[Wave, ...]:
    """Simulated venues come with the first wave and leave with the last; one that starts over does so with the
    bots on it."""
    homes: list[set[str]] = [set() for _ in steps]
    for action in plan.changes:
        if action.subject is Subject.SIMULATOR:
            homes[_home(action.name, action.kind, steps, touched)].add(action.name)
    return tuple(replace(wave, simulators=tuple(sorted(home))) for wave, home in zip(steps, homes, strict=True))


def _home(venue: str, kind: Kind, steps: list[Wave], touched: Touched) -> int:
    if kind in LEAVING:
        return len(steps) - 1
    if kind is Kind.RESTART:
        on_it = [any(venue in touched.simulated(name) for name in wave.bots) for wave in steps]
        return on_it.index(True) if any(on_it) else 0
    return 0
