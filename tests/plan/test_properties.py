"""What holds for every fleet and every present: a plan, carried out, leaves nothing to do."""

from __future__ import annotations

import msgspec
from hypothesis import given

from engine.plan.actions import Kind, Subject
from engine.plan.diff import diff
from engine.plan.document import plan_document
from engine.plan.observed import Observed, Unknown
from engine.plan.render import Density, render
from engine.spec.types import BotSpec
from tests.plan import fleets
from tests.plan.presents import carried_out, fleets_of_specs, presents, seeds


@given(old=presents(), new=fleets_of_specs, seed=seeds)
def test_a_plan_straight_after_its_apply_is_empty(old: Observed, new: list[BotSpec], seed: int | None) -> None:
    desired = fleets.desired(*new, sim_seed=seed)
    after = carried_out(desired, old, diff(desired, old))
    assert diff(desired, after).changes == ()


@given(old=presents(), new=fleets_of_specs, seed=seeds)
def test_planning_twice_gives_the_same_plan(old: Observed, new: list[BotSpec], seed: int | None) -> None:
    desired = fleets.desired(*new, sim_seed=seed)
    assert diff(desired, old) == diff(desired, old)
    assert diff(desired, old).is_same_as(diff(desired, old))


@given(old=presents(), new=fleets_of_specs)
def test_an_apply_that_did_only_some_of_the_plan_is_finished_by_the_next(old: Observed, new: list[BotSpec]) -> None:
    desired = fleets.desired(*new)
    plan = diff(desired, old)
    half = msgspec.structs.replace(plan, actions=plan.actions[: len(plan.actions) // 2])
    middle = carried_out(desired, old, half)
    after = carried_out(desired, middle, diff(desired, middle))
    assert diff(desired, after).changes == ()


@given(old=presents(), new=fleets_of_specs)
def test_a_held_bot_is_never_started(old: Observed, new: list[BotSpec]) -> None:
    plan = diff(fleets.desired(*new), old)
    starts = plan.of(Subject.BOT, Kind.CREATE, Kind.START, Kind.RESTART, Kind.REPLACE)
    assert not set(starts) & set(old.holds)


@given(old=presents(), new=fleets_of_specs)
def test_nothing_is_decided_about_processes_nobody_could_see(old: Observed, new: list[BotSpec]) -> None:
    blind = msgspec.structs.replace(old, processes=Unknown(why="timed out"), simulators=Unknown(why="timed out"))
    plan = diff(fleets.desired(*new), blind)
    assert plan.changes == ()
    assert plan.trouble


@given(old=presents(), new=fleets_of_specs)
def test_unknown_orders_are_never_printed_as_none(old: Observed, new: list[BotSpec]) -> None:
    plan = diff(fleets.desired(*new), old)
    for action in plan.changes:
        engine = old.engines.get(action.name)
        is_silent_and_up = isinstance(engine, Unknown) and _is_up(old, action.name)
        if action.kind.stops_process and action.subject is Subject.BOT and is_silent_and_up:
            assert action.money.orders_cancelled is None


@given(old=presents(), new=fleets_of_specs)
def test_every_plan_can_be_read_and_sent(old: Observed, new: list[BotSpec]) -> None:
    plan = diff(fleets.desired(*new), old)
    assert all(render(plan, density=density).splitlines()[-1].startswith("lab: ") for density in Density)
    assert len(plan_document(plan)["actions"]) == len(plan.actions)


def _is_up(seen: Observed, name: str) -> bool:
    process = seen.processes.get(name) if isinstance(seen.processes, dict) else None
    return process is not None and process.is_up
