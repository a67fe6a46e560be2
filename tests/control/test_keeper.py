"""What `botctl up` keeps true, against a real supervisord: the generation in force, through reboots and crashes."""

from __future__ import annotations

import os
import signal

import pytest

from engine.control import keeper
from engine.control.apply import apply
from engine.control.backends.interface import Remove, Stop
from engine.control.down import take_down, time_to_stop_s
from engine.control.fleet import Fleet
from engine.control.keeper import TRIES_MAX, Keeper
from engine.control.kept import lock_file, only_keeper
from engine.control.lifecycle import stop
from engine.control.lock import writer_lock
from engine.errors import Conflict, Locked
from engine.spec.types import BotSpec
from tests.control.outside import pids, runs, until
from tests.plan.fleets import desired, spec


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look is never too early, but for the test that is about waiting."""
    monkeypatch.setattr(keeper, "FIRST_RETRY_S", 0.0)
    monkeypatch.setattr(keeper, "IDLE_S", 0.0)


@pytest.fixture
def said(fleet: Fleet) -> list[str]:
    return []


@pytest.fixture
def telling(fleet: Fleet, said: list[str]) -> Fleet:
    return Fleet(workspace=fleet.workspace, backend=fleet.backend, progress=said.append)


def bot(name: str, **changes: object) -> BotSpec:
    return spec(name, **{"stop_timeout_s": 2, **changes})


def applied(fleet: Fleet, *specs: BotSpec) -> None:
    apply(fleet, desired(*specs), lambda _plan: None)


def end_at_once(fleet: Fleet) -> None:
    """As a host that loses power: nobody hears of it, and every file stays as it was."""
    doomed = [int((fleet.workspace.state / "supervisord.pid").read_text()), *pids(fleet).values()]
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in doomed:
            os.kill(pid, number)
    until(lambda: not any(runs(pid) for pid in doomed))


def journal(fleet: Fleet) -> list[str]:
    """What the engines lived through: the event and the bot of every line."""
    return [" ".join(line.split()[:2]) for line in (fleet.workspace.state / "told" / "journal").open()]


def behave(fleet: Fleet, name: str, how: str) -> None:
    (fleet.workspace.state / "fake").mkdir(exist_ok=True)
    (fleet.workspace.state / "fake" / name).write_text(how)


def test_after_a_reboot_what_was_applied_runs_again_and_what_a_person_stopped_does_not(fleet: Fleet) -> None:
    applied(fleet, bot("btc"), bot("eth"), bot("sol"))
    stop(fleet, ["sol"], why="maintenance")
    before = pids(fleet)
    end_at_once(fleet)
    assert fleet.workspace.supervisor_socket.exists(), "files of the earlier boot are still there"
    assert (fleet.workspace.state / "supervisord.pid").exists()
    Keeper(fleet).look()
    assert set(pids(fleet)) == {"btc", "eth"}
    assert not set(pids(fleet).values()) & set(before.values())
    Keeper(fleet).look()
    assert sum(line.startswith("start") for line in journal(fleet)) == 5, "a second look starts nothing"


def test_an_edit_that_nobody_applied_is_not_started_by_a_reboot(fleet: Fleet) -> None:
    applied(fleet, bot("sol"))
    end_at_once(fleet)
    fleet.workspace.bots.mkdir()
    (fleet.workspace.bots / "fleet.yaml").write_text("half an edit: [")
    Keeper(fleet).look()
    assert set(pids(fleet)) == {"sol"}


def test_all_bots_drain_at_the_same_time(fleet: Fleet) -> None:
    names = ["btc", "eth", "sol", "xrp"]
    for name in names:
        behave(fleet, name, "drain 1")
    applied(fleet, *(bot(name, stop_timeout_s=8) for name in names))
    take_down(fleet)
    drained = [line for line in journal(fleet) if not line.startswith("start")]
    assert sorted(drained[:4]) == [f"drain {name}" for name in names], "nobody ended before all had begun to drain"
    assert sorted(drained[4:]) == [f"end {name}" for name in names]


def test_the_time_to_stop_is_that_of_the_slowest_bot_and_not_of_all() -> None:
    fast, slow = bot("fast", stop_timeout_s=5), bot("slow", stop_timeout_s=100)
    assert time_to_stop_s([fast, slow]) == time_to_stop_s([slow])
    assert time_to_stop_s([slow]) - time_to_stop_s([fast]) == 95


def test_a_supervisor_that_dies_is_started_again_with_its_bots(telling: Fleet, said: list[str]) -> None:
    applied(telling, bot("eth"), bot("sol"))
    kept = Keeper(telling)
    kept.look()
    before, daemon = pids(telling), int((telling.workspace.state / "supervisord.pid").read_text())
    os.kill(daemon, signal.SIGKILL)
    until(lambda: not runs(daemon))
    kept.look()
    assert set(pids(telling)) == set(before) and not set(pids(telling).values()) & set(before.values())
    assert not [pid for pid in before.values() if runs(pid)]
    assert said[-1] == "the fleet is up"


def test_a_fleet_that_is_up_is_left_alone(fleet: Fleet) -> None:
    applied(fleet, bot("eth"), bot("sol"))
    stop(fleet, ["sol"], why="maintenance")
    before, kept = pids(fleet), Keeper(fleet)
    for _ in range(3):
        kept.look()
    assert pids(fleet) == before


def test_where_all_are_held_nothing_is_started_and_nothing_said_twice(telling: Fleet, said: list[str]) -> None:
    applied(telling, bot("eth"), bot("sol"))
    stop(telling, ["eth", "sol"], why="maintenance")
    daemon = int((telling.workspace.state / "supervisord.pid").read_text())
    os.kill(daemon, signal.SIGKILL)
    until(lambda: not runs(daemon))
    kept = Keeper(telling)
    said.clear()
    for _ in range(3):
        kept.look()
    assert pids(telling) == {} and said == ["the fleet is up"]


def test_what_somebody_took_out_beside_a_supervisor_that_runs_is_left_alone(fleet: Fleet) -> None:
    """An apply that failed on its way, with reason, is no business of the host's."""
    applied(fleet, bot("eth"), bot("sol"))
    kept = Keeper(fleet)
    kept.look()
    fleet.backend.execute(Stop(names=("bot-sol",), deadline_s=10), fleet.progress)
    fleet.backend.execute(Remove(names=("bot-sol",)), fleet.progress)
    kept.look()
    assert set(pids(fleet)) == {"eth"}


def test_before_anything_was_applied_there_is_nothing_to_keep_up(fleet: Fleet) -> None:
    with pytest.raises(Conflict, match="nothing was applied"):
        Keeper(fleet).look()


def test_a_command_that_changes_the_fleet_is_waited_for(fleet: Fleet) -> None:
    applied(fleet, bot("sol"))
    end_at_once(fleet)
    kept = Keeper(fleet)
    with writer_lock(fleet.workspace, "apply"):
        kept.look()
        assert pids(fleet) == {}
    kept.look()
    assert set(pids(fleet)) == {"sol"}


def test_a_bot_that_does_not_come_up_keeps_nobody_down_and_is_not_tried_for_ever(
    telling: Fleet, said: list[str]
) -> None:
    applied(telling, bot("eth"), bot("sol"))
    end_at_once(telling)
    behave(telling, "sol", "exit 4")
    kept = Keeper(telling)
    for _ in range(TRIES_MAX + 3):
        kept.look()
    assert set(pids(telling)) == {"eth"}
    complaints = [line for line in said if line.startswith("not all is up: 1 not as planned: sol")]
    assert len(complaints) == TRIES_MAX


def test_tries_are_spaced(telling: Fleet, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "FIRST_RETRY_S", 60.0)
    applied(telling, bot("sol"))
    end_at_once(telling)
    behave(telling, "sol", "exit 4")
    kept = Keeper(telling)
    kept.look()
    kept.look()
    assert [line for line in said if line.startswith("not all is up")] == [
        "not all is up: 1 not as planned: sol: ended with exit code 4; looking again in 60 s"
    ]


def test_a_full_disk_does_not_end_the_keeper(
    telling: Fleet, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    applied(telling, bot("sol"))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keeper, "make_true", full)
    Keeper(telling).look()
    assert said[-1].startswith("not all is up: No space left on device")


def test_one_fleet_has_one_keeper(fleet: Fleet) -> None:
    with only_keeper(fleet.workspace):
        with pytest.raises(Locked, match=f"process {os.getpid()}"), only_keeper(fleet.workspace):
            pass
        take_down(fleet)
    assert lock_file(fleet.workspace).exists()


def test_down_waits_for_another_command_only_where_it_is_told_to(fleet: Fleet) -> None:
    with writer_lock(fleet.workspace, "apply"):
        for wait_s in (0, 0.3):
            with pytest.raises(Locked, match="botctl apply"):
                take_down(fleet, wait_s=wait_s)
