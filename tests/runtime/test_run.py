"""`botctl run`: the same engine in the foreground, with words for people."""

from __future__ import annotations

import re
import signal

import pytest

from engine.host.holds import Hold, HoldKind, place_hold
from tests.fleets import bot_spec
from tests.runtime.conftest import Stage, until

COMMAND = """
import sys, cli
sys.argv[1:] = ["run", sys.argv[2], "-C", sys.argv[1].removesuffix("/.botctl")]
sys.exit(cli.main())
"""


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.apply(bot_spec())
    stage.workspace.bots.mkdir()
    (stage.workspace.bots / "fleet.yaml").write_text("id: test\n")
    return stage


def test_ctrl_c_is_the_stop_procedure_and_the_log_is_for_people(stage: Stage) -> None:
    stage.simulate()
    bot = stage.script(COMMAND, "maker")
    until(lambda: stage.leg().get("orders") == 6)
    bot.send_signal(signal.SIGINT)
    _, words = bot.communicate(timeout=30)
    assert bot.returncode == 0
    assert re.search(r"^\d\d:\d\d:\d\d\.\d{3} journal restored  orders=0 fills=0", words, re.MULTILINE)
    assert re.search(r"stopped  why=SIGINT\n$", words)
    assert "\x1b" not in words


def test_without_its_simulator_it_says_how_to_start_one(stage: Stage) -> None:
    bot = stage.script(COMMAND, "maker")
    _, words = bot.communicate(timeout=30)
    assert bot.returncode == 1
    assert "no simulated backpack is running" in words
    assert "botctl sim backpack" in words


def test_a_held_bot_is_refused_with_who_holds_it_and_the_way_out(stage: Stage) -> None:
    place_hold(stage.workspace, Hold(bot="maker", kind=HoldKind.STOP, who="ann", since_ns=1, why="holiday"))
    bot = stage.script(COMMAND, "maker")
    _, words = bot.communicate(timeout=30)
    assert bot.returncode == 5
    assert "maker is held (stop) by ann" in words
    assert "botctl start maker" in words


def test_a_bot_that_runs_already_is_not_run_twice(stage: Stage) -> None:
    stage.simulate()
    stage.engine()
    until(lambda: stage.leg().get("orders") == 6)
    second = stage.script(COMMAND, "maker")
    _, words = second.communicate(timeout=30)
    assert (second.returncode, "maker already runs" in words) == (4, True)


def test_a_bot_nobody_declared_is_an_error(stage: Stage) -> None:
    bot = stage.script(COMMAND, "nobody")
    bot.communicate(timeout=30)
    assert bot.returncode == 3
