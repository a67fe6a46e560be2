"""Several supervisords for one fleet: nothing above the backend knows, and no bot is ever moved."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.control.apply import apply
from engine.control.backends.shards import assign, known_shards
from engine.control.checkup import checkup
from engine.control.down import take_down
from engine.control.fleet import Fleet
from engine.control.keeper import Keeper
from engine.control.lifecycle import restart, start, stop
from engine.control.observe import observe
from engine.control.status import fleet_status
from engine.plan.desired import Desired
from engine.plan.diff import diff
from engine.spec.types import BotSpec
from tests.control.outside import pids, runs, until
from tests.plan.fleets import desired, spec

ROOM = 2

NAMES = st.lists(st.sampled_from([f"bot-{number}" for number in range(12)]), unique=True)


@given(st.lists(NAMES, min_size=1, max_size=6), st.integers(1, 4))
def test_whatever_comes_and_goes_nobody_moves_and_no_daemon_gets_more_than_it_has_room_for(
    fleets: list[list[str]], room: int
) -> None:
    kept: list[list[str]] = [[]]
    for wanted in fleets:
        spread = assign(wanted, kept, room)
        assert sorted(name for names in spread for name in names) == sorted(wanted), "everybody has one place"
        before = {name: number for number, names in enumerate(kept) for name in names}
        after = {name: number for number, names in enumerate(spread) for name in names}
        assert all(after[name] == before[name] for name in wanted if name in before)
        assert all(len(names) <= room for names in spread)
        kept = spread


def test_a_fleet_that_fits_has_one_daemon_and_one_that_had_too_many_keeps_them() -> None:
    names = [f"bot-{number}" for number in range(300)]
    assert assign(names, [[]], 300) == [names]
    assert assign(names, [names], 100) == [names], "a smaller room moves nobody"
    assert assign([*names, "new"], [names], 100) == [names, ["new"]]


def bot(name: str, **changes: object) -> BotSpec:
    return spec(name, **{"stop_timeout_s": 2, **changes})


def wanted(*specs: BotSpec) -> Desired:
    plain = desired(*specs)
    return msgspec.structs.replace(plain, fleet=msgspec.structs.replace(plain.fleet, max_programs=ROOM))


def applied(fleet: Fleet, *specs: BotSpec) -> list[tuple[str, str]]:
    plan = apply(fleet, wanted(*specs), lambda _plan: None)
    return [(str(action.kind), action.name) for action in plan.changes]


def planned(fleet: Fleet, *specs: BotSpec) -> list[tuple[str, str]]:
    return [(str(action.kind), action.name) for action in diff(wanted(*specs), observe(fleet)).changes]


def daemons(fleet: Fleet) -> dict[str, int]:
    """Every supervisord that runs, by the name of its files."""
    found = {}
    for shard in known_shards(fleet.workspace):
        with suppress(FileNotFoundError):
            pid = int(shard.pid_file.read_text())
            if runs(pid):
                found[shard.name] = pid
    return found


def places(fleet: Fleet) -> dict[str, set[str]]:
    return {shard.name: set(shard.programs()) for shard in known_shards(fleet.workspace)}


FIVE = [bot(name) for name in ("ada", "btc", "eth", "sol", "xrp")]


def test_a_fleet_that_grows_gets_more_daemons_and_restarts_nobody(fleet: Fleet) -> None:
    applied(fleet, *FIVE[:2])
    first = pids(fleet)
    assert set(daemons(fleet)) == {"supervisord"}
    assert applied(fleet, *FIVE) == [("create", name) for name in ("eth", "sol", "xrp")]
    assert set(daemons(fleet)) == {"supervisord", "supervisord-1", "supervisord-2"}
    assert {name: pids(fleet)[name] for name in first} == first
    assert set(fleet.backend.observe()) == {f"bot-{one.name}" for one in FIVE}
    assert planned(fleet, *FIVE) == []
    assert {one.state for one in fleet_status(observe(fleet))} == {"running"}


def test_verbs_reach_the_bots_of_every_daemon_and_only_those_they_name(fleet: Fleet) -> None:
    applied(fleet, *FIVE)
    before = pids(fleet)
    changed = [*FIVE[:3], bot("sol", market="ETH_USDC_PERP"), FIVE[4]]
    assert applied(fleet, *changed) == [("replace", "sol")]
    restart(fleet, ["xrp"])
    stop(fleet, ["btc"], why="maintenance")
    after = pids(fleet)
    assert {name for name in before if after.get(name) != before[name]} == {"sol", "xrp", "btc"}
    start(fleet, ["btc"])
    assert planned(fleet, *changed) == []
    kept = [*changed[:2], changed[4]]
    assert applied(fleet, *kept) == [("retire", "eth"), ("retire", "sol")]
    before = pids(fleet)
    assert applied(fleet, *kept, bot("new")) == [("create", "new")], "in the place that became free"
    assert places(fleet)["supervisord-1"] == {"bot-new"}
    assert {name: pids(fleet)[name] for name in before} == before


@pytest.mark.parametrize("heals", ["apply", "keeper"])
def test_one_daemon_that_is_killed_costs_its_own_bots_alone_a_restart(fleet: Fleet, heals: str) -> None:
    applied(fleet, *FIVE)
    before, daemon = pids(fleet), daemons(fleet)["supervisord-1"]
    os.kill(daemon, signal.SIGKILL)
    until(lambda: not runs(daemon) and not any(runs(before[name]) for name in ("eth", "sol")))
    assert planned(fleet, *FIVE) == [("start", "eth"), ("start", "sol")]
    assert fleet.backend.ended() == ["supervisord-1"]
    assert "supervisord-1 ended with its bots" in {finding.what for finding in checkup(fleet)}
    if heals == "apply":
        applied(fleet, *FIVE)
    else:
        Keeper(fleet).look()
    after = pids(fleet)
    assert {name for name in before if after[name] != before[name]} == {"eth", "sol"}
    assert planned(fleet, *FIVE) == [] and fleet.backend.ended() == []


def test_down_ends_every_daemon_and_the_next_start_needs_no_more_than_it_must(fleet: Fleet) -> None:
    applied(fleet, *FIVE)
    kept = [*daemons(fleet).values(), *pids(fleet).values()]
    take_down(fleet)
    until(lambda: not any(runs(pid) for pid in kept))
    applied(fleet, FIVE[0], FIVE[4])
    assert places(fleet) == {"supervisord": {"bot-ada", "bot-xrp"}}


def test_after_a_reboot_everybody_is_where_they_were(fleet: Fleet) -> None:
    applied(fleet, *FIVE)
    before = places(fleet)
    doomed = [*daemons(fleet).values(), *pids(fleet).values()]
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in doomed:
            os.kill(pid, number)
    until(lambda: not any(runs(pid) for pid in doomed))
    Keeper(fleet).look()
    assert set(pids(fleet)) == {one.name for one in FIVE}
    assert places(fleet) == before and len(daemons(fleet)) == 3
