"""The host loses power and comes back: the commands of the rendered unit, as a service manager runs them, give a
fleet whose orders are exactly those it believes in, and end it with nothing left at the venue."""

from __future__ import annotations

import configparser
import os
import pwd
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.control.kept import lock_file as keeper_lock
from engine.host.holders import verified_holder
from engine.host.locks import is_free
from engine.runtime.sentinel import lock_file as sentinel_lock
from tests.e2e.botctl import until
from tests.fire.campaign import Campaign
from tests.fire.fleet import BOTS
from tests.fire.ground import Ground, strike
from tests.fire.judge import Judge

pytestmark = pytest.mark.timeout(400)


class Host:
    """Does what systemd does with the fleet's unit, in the environment that systemd would give."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        unit = configparser.ConfigParser(interpolation=None, delimiters="=")
        unit.read_string(ground.botctl("unit"))
        service = unit["Service"]
        self._start, self._stop = shlex.split(service["ExecStart"]), shlex.split(service["ExecStop"])
        known = pwd.getpwuid(os.getuid())
        self._environment = {
            "HOME": known.pw_dir,
            "USER": known.pw_name,
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
        }
        self._environment |= dict(word.split("=", 1) for word in shlex.split(service.get("Environment", "")))
        self._main: subprocess.Popen[bytes] | None = None

    def lose_power(self) -> None:
        """All at once, the sentinel included; files stay. Frozen first: nobody may hear of another's death."""
        holders = [verified_holder(sentinel_lock(self.ground.botctl.workspace)), verified_holder(self._keeper)]
        doomed = [self.ground.supervisord, *map(self.ground.engine, BOTS), *(one.pid for one in holders if one)]
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in doomed:
                if pid:
                    strike(pid, number)
        until(lambda: self.ground.supervisord is None and all(self.ground.engine(bot) is None for bot in BOTS))
        if self._main:
            self._main.wait(30)

    def boot(self) -> None:
        """ExecStart."""
        self._main = subprocess.Popen(self._start, cwd="/", env=self._environment, stdin=subprocess.DEVNULL)

    def stop(self) -> int:
        """ExecStop; the exit code of the main process."""
        assert self._main is not None
        subprocess.run(
            self._stop, cwd="/", env=self._environment, stdin=subprocess.DEVNULL, timeout=120, check=True
        )
        return self._main.wait(30)

    @property
    def _keeper(self) -> Path:
        return keeper_lock(self.ground.botctl.workspace)


@pytest.fixture(scope="module")
def judge(ground: Ground) -> Judge:
    return Campaign(ground).judge


@pytest.fixture
def host(ground: Ground) -> Iterator[Host]:
    ground.forgive()
    yield Host(ground)
    ground.botctl("down", "--wait", "60")
    ground.botctl("apply", "--yes")


def test_after_a_reboot_the_orders_are_those_believed_and_nobody_runs_twice(host: Host, judge: Judge) -> None:
    assert judge.settle() == []
    until(lambda: not judge.nothing_rests())
    host.lose_power()
    host.boot()
    assert judge.settle() == []
    assert host.stop() == 0
    assert judge.all_ended() == []
    assert judge.nothing_rests()
    assert host.ground.supervisord is None and is_free(sentinel_lock(host.ground.botctl.workspace))


def test_what_a_person_stopped_stays_stopped_over_a_reboot(host: Host, judge: Judge) -> None:
    botctl = host.ground.botctl
    botctl("stop", "sol", "--why", "moving house")
    host.lose_power()
    host.boot()
    until(lambda: host.ground.engine("btc") is not None and judge.left_by("btc"))
    until(lambda: botctl.status()["btc"]["state"] == "running")
    assert botctl.status()["sol"]["state"] == "held"
    assert host.ground.engine("sol") is None and judge.left_by("sol") == 0
    assert host.stop() == 0
    assert judge.nothing_rests()
    botctl("apply", "--yes")
    botctl("start", "sol")


def test_power_that_goes_twice_and_a_supervisor_that_dies_leave_one_runner_each(host: Host, judge: Judge) -> None:
    for _ in range(2):
        host.lose_power()
        host.boot()
        until(lambda: all(host.ground.engine(bot) for bot in BOTS))
        host.ground.forgive()
    daemon = until(lambda: host.ground.supervisord)
    strike(daemon, signal.SIGKILL)
    until(lambda: host.ground.supervisord not in (None, daemon))
    assert judge.settle() == []
    host.ground.botctl("down")
    assert judge.all_ended() == []
    assert is_free(keeper_lock(host.ground.botctl.workspace)), "down ends whoever would start it again"
