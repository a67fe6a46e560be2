"""What holds for every fleet and every present: a plan, carried out, leaves nothing to do."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.plan.actions import Action, Kind, Plan, Subject
from engine.plan.desired import Desired
from engine.plan.diff import diff
from engine.plan.document import plan_document
from engine.plan.observed import Applied, Engine, Held, Observed, Process, Simulator, Unknown
from engine.plan.render import render
from engine.spec.fingerprint import fingerprint
from engine.spec.types import BotSpec
from tests.plan import fleets

NAMES = ("alpha", "beta", "gamma")

specs = st.builds(
    fleets.spec,
    st.sampled_from(NAMES),
    spread_bps=st.sampled_from(["10", "12"]),
    market=st.sampled_from(["SOL_USDC_PERP", "ETH_USDC_PERP"]),
    enabled=st.booleans(),
    stop_timeout_s=st.sampled_from([10, 30]),
    stop_policy=st.sampled_from(["keep", "flatten"]),
    labels=st.sampled_from([{}, {"desk": "asia"}]),
)
fleets_of_specs = st.lists(specs, max_size=3, unique_by=lambda one: one.name)
seeds = st.sampled_from([None, 1, 2])
processes = st.one_of(
    st.none(),
    st.builds(
        fleets.process,
        st.sampled_from(["running", "stopping", "stopped", "exited", "failed"]),
        exit_code=st.sampled_from([None, 0, 1, 4]),
    ),
)
engines = st.one_of(st.none(), st.just(Unknown(why="timed out")), specs.map(fleets.engine))
holds = st.one_of(st.none(), st.sampled_from(["stop", "pause", "trip"]).map(fleets.held))


@st.composite
def presents(draw: st.DrawFn) -> Observed:
    """Any state a host may be in, sensible or not."""
    old = draw(fleets_of_specs)
    seen_processes = {name: draw(processes) for name in NAMES}
    seen_engines = {name: draw(engines) for name in NAMES}
    seed = draw(seeds)
    whole = fleets.applied(*old, sim_seed=seed)
    finished = draw(st.lists(st.sampled_from(old), max_size=2)) if old else []
    simulator = draw(st.one_of(st.none(), processes.filter(bool).map(lambda one: Simulator(process=one))))
    return Observed(
        applied=draw(st.sampled_from([whole, None])),
        processes={name: one for name, one in seen_processes.items() if one},
        engines={name: _named(name, one) for name, one in seen_engines.items() if one},
        holds={name: hold for name in NAMES if (hold := draw(holds))},
        finished={one.name: fingerprint(one) for one in finished},
        simulators={"backpack": simulator} if simulator else {},
    )


def _named(name: str, engine: Engine | Unknown) -> Engine | Unknown:
    if isinstance(engine, Unknown) or engine.spec is None:
        return engine
    own = msgspec.structs.replace(engine.spec, name=name)
    return msgspec.structs.replace(engine, spec=own, fingerprint=fingerprint(own))


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
    assert render(plan, verbose=True).splitlines()[-1].startswith("lab: ")
    assert len(plan_document(plan)["actions"]) == len(plan.actions)


def _is_up(seen: Observed, name: str) -> bool:
    process = seen.processes.get(name) if isinstance(seen.processes, dict) else None
    return process is not None and process.is_up


def carried_out(desired: Desired, old: Observed, plan: Plan) -> Observed:
    """The model of apply: what the world looks like when each action became true."""
    assert isinstance(old.processes, dict) and isinstance(old.simulators, dict)
    processes, engines, holds = dict(old.processes), dict(old.engines), dict(old.holds)
    simulators = dict(old.simulators)
    for action in plan.changes:
        if action.subject is Subject.SIMULATOR:
            _carry_out_simulator(action, simulators)
        else:
            _carry_out(action, desired, processes, engines, holds)
    return Observed(
        applied=Applied(
            generation=9,
            fleet=desired.fleet,
            bots={name: bot.spec for name, bot in desired.bots.items()},
            fingerprints={name: bot.fingerprint for name, bot in desired.bots.items()},
            simulators={venue: one.fingerprint for venue, one in desired.simulators.items()},
        ),
        processes=processes,
        engines=engines,
        holds=holds,
        finished=old.finished,
        simulators=simulators,
    )


def _carry_out(
    action: Action,
    desired: Desired,
    processes: dict[str, Process],
    engines: dict[str, Engine | Unknown],
    holds: dict[str, Held],
) -> None:
    name = action.name
    if action.kind.starts_process or action.kind is Kind.UPDATE:
        processes[name] = fleets.process()
        engines[name] = fleets.engine(desired.bots[name].spec)
    if action.kind in (Kind.STOP, Kind.RETIRE):
        engines.pop(name, None)
        processes.pop(name, None)
    if action.kind is Kind.RETIRE:
        holds.pop(name, None)


def _carry_out_simulator(action: Action, simulators: dict[str, Simulator]) -> None:
    if action.kind is Kind.RETIRE:
        simulators.pop(action.name, None)
    else:
        simulators[action.name] = Simulator(process=fleets.process(), fingerprint=action.after)
