"""What the sentinel sees, in told time: locks and journals are files, and nothing runs."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from engine.host.files import write_atomic
from engine.host.locks import Holder, acquire
from engine.host.workspace import Workspace
from engine.runtime.watch import Watch, Watched, read_watched
from engine.spec.types import SentinelSpec
from tests.fleets import bot_spec, fleet_spec, write_generation

WATCHED = Watched(place="1", bots=("maker",), grace_s=10)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    place = Workspace(root=tmp_path)
    place.locks.mkdir(parents=True)
    return place


def journal(workspace: Workspace, name: str, *, orders: int) -> None:
    file = workspace.journals / "maker" / f"{name}.sqlite"
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE orders (done INTEGER)")
        database.executemany("INSERT INTO orders VALUES (?)", [(0,)] * orders)


def due(watch: Watch, now_s: float) -> list[str]:
    return list(watch.abandoned(WATCHED, now_s))


def test_a_bot_without_a_process_is_given_its_grace_time(workspace: Workspace) -> None:
    journal(workspace, "backpack-1", orders=2)
    watch = Watch(workspace)
    assert (due(watch, 0), due(watch, 9), due(watch, 10)) == ([], [], ["maker"])
    assert not watch.is_calm


def test_the_grace_time_begins_anew_whenever_the_bot_runs(workspace: Workspace) -> None:
    journal(workspace, "backpack-1", orders=2)
    watch = Watch(workspace)
    assert due(watch, 0) == []
    lock = acquire(workspace.locks / "maker", Holder(pid=os.getpid(), bot="maker", workspace="", since_ns=0))
    assert due(watch, 100) == []
    lock.release()
    assert (due(watch, 101), due(watch, 110), due(watch, 111)) == ([], [], ["maker"])


def test_what_could_not_be_cancelled_is_tried_again_later_and_later(workspace: Workspace) -> None:
    journal(workspace, "backpack-1", orders=2)
    watch, tries, now_s = Watch(workspace), [], 0.0
    while now_s < 1500:
        if due(watch, now_s):
            tries.append(now_s)
            watch.tried("maker", worked=False, now_s=now_s)
        now_s += 1
    assert tries == [10, 15, 25, 45, 85, 165, 325, 625, 925, 1225]


def test_a_bot_that_left_nothing_is_left_alone(workspace: Workspace) -> None:
    journal(workspace, "backpack-1", orders=0)
    watch = Watch(workspace)
    assert (due(watch, 0), due(watch, 10)) == ([], [])
    assert watch.is_calm


def test_once_its_orders_are_gone_it_is_left_alone_until_it_runs_again(workspace: Workspace) -> None:
    journal(workspace, "backpack-1", orders=2)
    watch = Watch(workspace)
    due(watch, 0)
    assert due(watch, 10) == ["maker"]
    watch.tried("maker", worked=True, now_s=11)
    assert (due(watch, 1000), watch.is_calm) == ([], True)


def test_orders_of_an_earlier_simulated_world_are_nobodys(workspace: Workspace) -> None:
    journal(workspace, "sim-backpack-1", orders=2)
    journal(workspace, "sim-backpack-2", orders=0)
    os.utime(workspace.journals / "maker" / "sim-backpack-1.sqlite", (0, 0))
    watch = Watch(workspace)
    assert (due(watch, 0), due(watch, 10)) == ([], [])


def test_what_is_declared_is_read_again_when_another_generation_is_in_force(workspace: Workspace) -> None:
    assert read_watched(workspace, Watched()).bots == ()
    write_generation(workspace, {"maker": bot_spec()})
    assert read_watched(workspace, Watched()).is_off, "a generation from before there was a sentinel"
    for number, spec in ((2, SentinelSpec(enabled=True, grace_s=Decimal(7))), (3, None)):
        write_generation(workspace, {"maker": bot_spec()}, number=number)
        fleet = msgspec.structs.replace(fleet_spec(), sentinel=spec)
        write_atomic(workspace.generations / str(number) / "fleet.json", msgspec.json.encode(fleet))
        watched = read_watched(workspace, Watched())
        assert (watched.bots, watched.is_off) == ((("maker",), False) if spec else ((), True))
        assert read_watched(workspace, watched) is watched
