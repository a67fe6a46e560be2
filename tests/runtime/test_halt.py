"""The kill switch where no supervisor runs at all: engines and the venue are processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
from decimal import Decimal

import pytest

from engine.control.backends.supervisor import supervisor_backend
from engine.control.fleet import Fleet
from engine.control.halt import Halted, halt
from engine.host.holds import HoldKind, read_hold
from engine.host.locks import Holder, acquire
from engine.runtime.journal_reader import live_orders
from tests.fleets import bot_spec
from tests.runtime.conftest import Stage, until


def trading(stage: Stage) -> subprocess.Popen[str]:
    """An engine with all its quotes resting."""
    engine = stage.engine()
    until(lambda: stage.leg().get("orders") == 6)
    return engine


def halted(stage: Stage, *, flatten: bool = False, timeout_s: float = 30) -> tuple[Halted, list[str]]:
    said: list[str] = []
    fleet = Fleet(workspace=stage.workspace, backend=supervisor_backend(stage.workspace), progress=said.append)
    (bot,) = halt(fleet, (), flatten=flatten, timeout_s=timeout_s, why="a test")
    return bot, said


def journal_orders(stage: Stage) -> int:
    return sum(live_orders(file) for file in (stage.workspace.journals / "maker").glob("*.sqlite"))


def test_a_killed_bots_orders_are_cancelled_and_its_position_is_flattened(stage: Stage) -> None:
    stage.apply(bot_spec())
    stage.simulate()
    engine = trading(stage)
    until(lambda: Decimal(stage.leg()["position"]) != 0)
    engine.kill()
    engine.communicate()
    assert journal_orders(stage) > 0
    bot, _ = halted(stage, flatten=True)
    assert bot.pending == ""
    assert abs(Decimal(bot.positions["SOL_USDC"])) < Decimal("0.02"), "what fees left is less than an order"
    assert journal_orders(stage) == 0
    again = stage.engine()
    again.communicate(timeout=30)
    assert again.returncode == 0, "an engine reads its hold before it connects"
    assert journal_orders(stage) == 0


def test_a_frozen_engine_is_killed_and_its_orders_are_cancelled(stage: Stage) -> None:
    stage.apply(bot_spec())
    stage.simulate()
    engine = trading(stage)
    engine.send_signal(signal.SIGSTOP)
    bot, said = halted(stage)
    assert bot.pending == ""
    assert any(f"killing process {engine.pid}" in line for line in said)
    assert engine.wait(10) == -signal.SIGKILL
    assert journal_orders(stage) == 0


def test_a_venue_out_of_reach_stays_pending_until_a_halt_finds_it_back(stage: Stage) -> None:
    stage.apply(bot_spec())
    simulator = stage.simulate()
    engine = trading(stage)
    simulator.send_signal(signal.SIGSTOP)
    engine.kill()
    engine.communicate()
    left = journal_orders(stage)
    bot, _ = halted(stage, timeout_s=3)
    assert f"{left} of its orders may rest" in bot.pending
    hold = read_hold(stage.workspace, "maker")
    assert hold is not None and hold.kind is HoldKind.HALT
    simulator.send_signal(signal.SIGCONT)
    bot, _ = halted(stage)
    assert (bot.pending, journal_orders(stage)) == ("", 0)


def test_a_lock_file_that_names_somebody_else_kills_nobody(stage: Stage) -> None:
    stage.apply(bot_spec())
    stage.simulate()
    bystander = stage.script("import time; time.sleep(60)")
    stage.workspace.prepare()
    stage.workspace.locks.mkdir(mode=0o700)
    named = Holder(pid=bystander.pid, bot="maker", workspace=str(stage.workspace.root), since_ns=0)
    lock = acquire(stage.workspace.locks / "maker", named)
    bot, _ = halted(stage)
    assert "not by the process it names" in bot.pending
    assert bystander.poll() is None
    lock.release()
    assert halted(stage)[0].pending == ""


def test_a_bot_whose_simulated_venue_is_gone_has_nothing_left_to_cancel(stage: Stage) -> None:
    stage.apply(bot_spec())
    simulator = stage.simulate()
    engine = trading(stage)
    for process in (engine, simulator):
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    bot, _ = halted(stage)
    assert (bot.pending, bot.positions) == ("", {})


def test_an_engine_waits_for_whoever_is_cancelling_its_orders(stage: Stage) -> None:
    stage.apply(bot_spec())
    stage.simulate()
    stage.workspace.prepare()
    stage.workspace.locks.mkdir(mode=0o700)
    passing = Holder(pid=os.getpid(), bot="maker", workspace="here", since_ns=0, passing=True)
    lock = acquire(stage.workspace.locks / "maker", passing)
    engine = stage.engine()
    with pytest.raises(subprocess.TimeoutExpired):
        engine.wait(1.5)
    lock.release()
    until(lambda: stage.leg().get("orders") == 6)
