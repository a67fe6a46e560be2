"""What is done to processes, network and disk, each over before the round is judged."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from enum import StrEnum

from tests.e2e.botctl import until
from tests.fire.ground import Ground, strike
from tests.fire.moments import Weather


class Blow(StrEnum):
    """Named as a report says it."""

    KILL_ENGINE = "engine killed"
    FREEZE_ENGINE = "engine frozen"
    END_ENGINE = "engine told to end"
    KILL_SUPERVISORD = "supervisord killed"
    FREEZE_SUPERVISORD = "engine killed while supervisord is frozen"
    FREEZE_VENUE = "venue frozen"
    CUT = "sockets closed, requests refused"
    SILENCE = "sockets silent, requests refused"
    ERRORS = "503 although the venue acted"
    LATE = "replies later than the engine waits"
    NOISE = "frames lost, doubled and out of order"
    FULL_DISK = "disk full"


OUTAGES: dict[Blow, Weather] = {
    Blow.CUT: {"disconnect": 1, "rate_limited": 1},
    Blow.SILENCE: {"zombie": 1, "rate_limited": 1},
    Blow.ERRORS: {"server_error": 1, "drop": 0.2},
    Blow.LATE: {"slow": 1, "slow_ms": 7000},
    Blow.NOISE: {"drop": 0.1, "gap": 0.05, "duplicate": 0.2, "reorder": 0.2, "jitter_ms": 300},
}


class Striker:
    """Strikes one fleet. `ended(bot)` is told of an engine that was asked to end and did."""

    def __init__(self, ground: Ground, ended: Callable[[str], None]) -> None:
        self._ground = ground
        self._ended = ended

    def strike(self, blow: Blow, bot: str, lasting_s: float) -> None:
        """One blow, and what a person or the host does about it afterwards. The weather is left as it is."""
        match blow:
            case Blow.KILL_ENGINE:
                self._kill_engine(bot)
                time.sleep(lasting_s)
            case Blow.FREEZE_ENGINE:
                self._freeze(self._ground.engine(bot), lasting_s)
            case Blow.END_ENGINE:
                self._end_engine(bot)
            case Blow.KILL_SUPERVISORD:
                self._kill_supervisord(lasting_s)
            case Blow.FREEZE_SUPERVISORD:
                self._freeze(self._ground.supervisord, lasting_s, meanwhile=lambda: self._kill_engine(bot))
            case Blow.FREEZE_VENUE:
                self._freeze(self._ground.endpoint.pid, lasting_s)
            case Blow.FULL_DISK:
                self._fill_disk(lasting_s)
            case _:
                self._ground.switch_faults(dict(OUTAGES[blow]))
                time.sleep(lasting_s)

    def _kill_engine(self, bot: str) -> None:
        if pid := self._ground.engine(bot):
            strike(pid, signal.SIGKILL)

    @staticmethod
    def _freeze(pid: int | None, lasting_s: float, meanwhile: Callable[[], None] = lambda: None) -> None:
        if pid is None:
            return
        strike(pid, signal.SIGSTOP)
        try:
            meanwhile()
            time.sleep(lasting_s)
        finally:
            strike(pid, signal.SIGCONT)

    def _end_engine(self, bot: str) -> None:
        """SIGTERM is a stop procedure: once it has ended well, and was not started again, nothing of it rests.
        The next apply starts it."""
        pid = self._ground.engine(bot)
        if pid is None:
            return
        strike(pid, signal.SIGTERM)
        until(lambda: self._ground.engine(bot) != pid)
        time.sleep(1)
        if self._ground.engine(bot) is None:
            self._ground.switch_faults({})
            self._ended(bot)
            self._ground.botctl("apply", "--yes")

    def _kill_supervisord(self, lasting_s: float) -> None:
        pid = self._ground.supervisord
        if pid:
            strike(pid, signal.SIGKILL)
            until(lambda: self._ground.supervisord is None)
        time.sleep(lasting_s)
        self._ground.switch_faults({})
        self._ground.botctl("apply", "--yes")

    def _fill_disk(self, lasting_s: float) -> None:
        self._ground.fill_disk()
        try:
            time.sleep(lasting_s)
        finally:
            self._ground.free_disk()
