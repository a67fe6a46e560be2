"""Every file in tests/cases/waves is one plan and its steps; below stands what holds for all plans."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.plan.actions import Kind, Plan, Subject, Wave
from engine.plan.bonds import LEAVING, start_order
from engine.plan.desired import Desired
from engine.plan.diff import diff
from engine.plan.observed import Applied, Observed
from engine.plan.stages import stages
from engine.spec.dependencies import circle, dependencies
from engine.spec.types import BotSpec
from tests.plan import fleets

CASES = sorted((Path(__file__).parents[1] / "cases" / "waves").glob("*.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_plan_has_the_waves_its_case_says(case: Path) -> None:
    words = yaml.safe_load(case.read_text())
    policy = fleets.rollout(**words["rollout"]) if "rollout" in words else None
    desired = fleets.desired(*_specs(words["declared"]), sim_seed=words.get("sim_seed"), policy=policy)
    applied = _specs(words.get("applied", {}))
    observed = fleets.running(*applied, sim_seed=words.get("applied_sim_seed")) if applied else Observed()
    assert [_words(wave) for wave in diff(desired, observed).waves] == words["waves"]


def _specs(bots: dict[str, Any]) -> list[BotSpec]:
    return [fleets.spec(name, **changes) for name, changes in bots.items()]


def _words(wave: Wave) -> list[str] | dict[str, list[str]]:
    if wave.canary:
        return {"canary": list(wave.bots)}
    if wave.simulators:
        return {"bots": list(wave.bots), "simulators": list(wave.simulators)}
    return list(wave.bots)


NAMES = ("alpha", "beta", "gamma", "delta", "omega")
MARKETS = st.sampled_from(["A", "B", "C", "D", "E", "F"])


@st.composite
def bots(draw: st.DrawFn) -> list[BotSpec]:
    """Bots that could be declared together: one per market, and none that wait for one another."""
    names = draw(st.lists(st.sampled_from(NAMES), max_size=5, unique=True))
    markets = draw(st.permutations(["A", "B", "C", "D", "E"]))
    specs = [
        fleets.spec(
            name,
            market=market,
            spread_bps=draw(st.sampled_from(["10", "12"])),
            stop_timeout_s=draw(st.sampled_from([10, 30])),
            enabled=draw(st.sampled_from([True, True, False])),
            **draw(st.sampled_from([{}, {"role": "hedger"}, {"role": "feed"}])),
            **draw(st.sampled_from([{}, {"open_usd": 10}, {"open_usd": 30}])),
            depends_on=draw(st.lists(st.sampled_from(names), max_size=1)) if draw(st.booleans()) else (),
        )
        for name, market in zip(names, markets, strict=False)
    ]
    around = circle(dependencies({one.name: one for one in specs}))
    return [] if around else specs


policies = st.builds(
    fleets.rollout,
    max_unavailable=st.sampled_from([None, 1, 2]),
    max_unavailable_usd=st.sampled_from([None, 40]),
    canary=st.sampled_from([None, {}, {"bots": 2}, {"bots": ["beta"]}]),
)
seeds = st.sampled_from([None, 1, 2])


@st.composite
def rollouts(draw: st.DrawFn) -> tuple[Observed, Desired, Plan]:
    old, new = draw(bots()), draw(bots())
    observed = fleets.running(*old, sim_seed=draw(seeds)) if old else Observed()
    desired = fleets.desired(*new, sim_seed=draw(seeds), policy=draw(policies))
    return observed, desired, diff(desired, observed)


@given(rollout=rollouts())
def test_every_change_is_in_a_wave_and_nothing_else(rollout: tuple[Observed, Desired, Plan]) -> None:
    _, _, plan = rollout
    changed = {
        change.name for change in plan.changes if change.subject is Subject.BOT and change.kind is not Kind.RECORD
    }
    simulators = [change.name for change in plan.changes if change.subject is Subject.SIMULATOR]
    if plan.waves:
        full = [name for wave in plan.waves if not wave.canary for name in wave.bots]
        early = {name for wave in plan.waves if wave.canary for name in wave.bots}
        assert len(full) == len(set(full)) and set(full) | early == changed
        assert early - set(full) <= set(plan.of(Subject.BOT, *LEAVING))
        assert sorted(name for wave in plan.waves for name in wave.simulators) == sorted(simulators)


@given(rollout=rollouts())
def test_nobody_starts_before_what_it_depends_on(rollout: tuple[Observed, Desired, Plan]) -> None:
    observed, desired, plan = rollout
    order = start_order(_before(observed), {name: bot.spec for name, bot in desired.bots.items()})
    first = {name: index for index, wave in reversed([*enumerate(plan.waves)]) for name in wave.bots}
    for name in first:
        assert all(first[other] <= first[name] for other in order[name] & first.keys())


@given(rollout=rollouts())
def test_those_that_stop_together_are_in_one_wave(rollout: tuple[Observed, Desired, Plan]) -> None:
    observed, desired, plan = rollout
    order = start_order(_before(observed), {name: bot.spec for name, bot in desired.bots.items()})
    stopping = {
        change.name for change in plan.changes if change.kind.stops_process and change.subject is Subject.BOT
    }
    first = {name: index for index, wave in reversed([*enumerate(plan.waves)]) for name in wave.bots}
    for name in stopping & first.keys():
        assert all(first[other] == first[name] for other in order[name] & stopping)


@given(rollout=rollouts())
def test_only_a_bond_is_bigger_than_the_policy_allows(rollout: tuple[Observed, Desired, Plan]) -> None:
    """Bots that nothing ties to another never make a wave too big."""
    observed, desired, plan = rollout
    policy = desired.fleet.rollout
    assert policy is not None
    whole = {**_before(observed), **{name: bot.spec for name, bot in desired.bots.items()}}
    tied = {
        name for name, needs in start_order(_before(observed), whole).items() for name in {name, *needs} if needs
    }
    leaving = set(plan.of(Subject.BOT, *LEAVING))
    if tied or plan.of(Subject.SIMULATOR, Kind.RESTART) or leaving or policy.max_unavailable is None:
        return
    if any(change.kind is Kind.REPLACE for change in plan.changes):
        return
    for wave in plan.waves:
        assert wave.canary or len(wave.bots) <= policy.max_unavailable


@given(rollout=rollouts())
def test_each_stage_touches_its_wave_alone_and_the_last_one_is_the_goal(
    rollout: tuple[Observed, Desired, Plan],
) -> None:
    observed, desired, plan = rollout
    if not plan.waves:
        return
    steps = list(stages(desired, observed.applied, plan.waves, lambda spec: spec))
    assert [step.wave for step in steps] == list(plan.waves)
    assert steps[-1].desired == desired
    was = observed.applied
    for step in steps[:-1]:
        touched = _differing(was, step.desired)
        assert touched <= set(step.wave.bots)
        was = _as_applied(step.desired)


def _before(observed: Observed) -> dict[str, BotSpec]:
    return observed.applied.bots if observed.applied else {}


def _differing(was: Applied | None, desired: Desired) -> set[str]:
    before = was.bots if was else {}
    names = {*before, *desired.bots}
    return {
        name for name in names if before.get(name) != (desired.bots[name].spec if name in desired.bots else None)
    }


def _as_applied(desired: Desired) -> Applied:
    return Applied(
        generation=9,
        fleet=desired.fleet,
        bots={name: bot.spec for name, bot in desired.bots.items()},
        fingerprints={name: bot.fingerprint for name, bot in desired.bots.items()},
        simulators={venue: one.fingerprint for venue, one in desired.simulators.items()},
    )
