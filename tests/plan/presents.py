"""Random fleets and random presents, sensible or not, and what a present is like once a plan was carried out."""

from __future__ import annotations

import msgspec
from hypothesis import strategies as st

from engine.plan.actions import Action, Kind, Plan, Subject
from engine.plan.desired import Desired
from engine.plan.observed import Applied, Engine, Held, Observed, Process, Simulator, Unknown
from engine.spec.fingerprint import fingerprint
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
