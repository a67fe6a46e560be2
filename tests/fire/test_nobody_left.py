"""supervisord and every engine killed in one instant: nobody is left to stop a bot, and its orders rest."""

from __future__ import annotations

import signal

import pytest

from engine.host.locks import is_free
from engine.runtime.sentinel import lock_file
from tests.e2e.botctl import until
from tests.fire.campaign import Campaign
from tests.fire.fleet import BOTS
from tests.fire.ground import Ground, strike
from tests.fire.judge import Judge

pytestmark = pytest.mark.timeout(400)

GRACE_AND_CANCEL_S = 30.0
"""The sentinel's grace, and time to connect and cancel on a slow machine."""


@pytest.fixture(scope="module")
def judge(ground: Ground) -> Judge:
    return Campaign(ground).judge


def kill_everything(ground: Ground, judge: Judge) -> None:
    """Engines are frozen first: none may hear of its parent's death and cancel in its last moment."""
    ground.forgive()
    assert judge.settle() == []
    engines = [ground.engine(bot) for bot in BOTS]
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in (ground.supervisord, *engines):
            assert pid is not None
            strike(pid, number)
    until(lambda: ground.supervisord is None and all(ground.engine(bot) is None for bot in BOTS))
    assert not judge.nothing_rests(), "the fleet was killed while it quoted"


def test_the_sentinel_cancels_what_a_killed_fleet_left_and_nothing_else(ground: Ground, judge: Judge) -> None:
    kill_everything(ground, judge)
    until(judge.nothing_rests, patience_s=GRACE_AND_CANCEL_S)
    assert judge.broken == [], "the person's orders rest on"
    until(lambda: is_free(lock_file(ground.botctl.workspace)))
    ground.botctl("apply", "--yes")
    assert judge.settle() == []


def test_an_apply_that_retires_a_killed_bot_cancels_what_it_left(ground: Ground, judge: Judge) -> None:
    kill_everything(ground, judge)
    file = ground.botctl.root / "bots" / "btc.yaml"
    text = file.read_text()
    file.unlink()
    assert "cancelling what is left of btc" in ground.botctl("apply", "--yes")
    assert judge.left_by("btc") == 0
    file.write_text(text)
    ground.botctl("apply", "--yes")
    assert judge.settle() == []
