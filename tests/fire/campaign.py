"""Rounds of fire: a moment, a blow, and the verdict. Which ones is drawn from a seed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import product
from random import Random

from engine.errors import BotctlError
from engine.model.value import Value
from tests.fire.blows import Blow, Striker
from tests.fire.fleet import BOTS
from tests.fire.ground import Ground
from tests.fire.judge import Judge
from tests.fire.memory import BotMemory
from tests.fire.moments import WEATHER, Moment, Weather, await_moment


class Round(Value, frozen=True, kw_only=True):
    """Strike `bot` with `blow` a little after one of its orders was seen in the state `moment`."""

    moment: Moment
    weather: Weather
    blow: Blow
    bot: str
    hesitation_ms: int = 0
    lasting_s: float = 1.0

    def __str__(self) -> str:
        weather = ",".join(f"{name}={value:g}" for name, value in self.weather.items()) or "calm"
        return (
            f"{self.bot} {self.moment.value} ({weather}) +{self.hesitation_ms} ms: "
            f"{self.blow.value}, {self.lasting_s:g} s"
        )


class Outcome(Value, frozen=True, kw_only=True):
    """How a round went. Without `seen` the moment did not come, and the blow fell anyway."""

    seen: bool
    settled_s: float
    complaints: tuple[str, ...]


def draw(seed: int) -> Iterator[Round]:
    """Endless rounds; every moment meets every blow once before any pair comes again."""
    random = Random(f"fire/{seed}")
    while True:
        pairs = list(product(Moment, Blow))
        random.shuffle(pairs)
        for moment, blow in pairs:
            yield Round(
                moment=moment,
                weather=random.choice(WEATHER[moment]),
                blow=blow,
                bot=random.choice(tuple(BOTS)),
                hesitation_ms=random.choice((0, 0, 20, 300, 1200)),
                lasting_s=random.choice((0.3, 2.0, 6.0, 9.0)),
            )


class Campaign:
    """One fleet, from its start to its end, and the rounds it goes through."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.judge = Judge(ground)
        self._striker = Striker(ground, self.judge.ended)

    def play(self, chosen: Round) -> Outcome:
        self._ground.forgive()
        seen, complaints = False, []
        try:
            seen = self._reach(chosen)
            time.sleep(chosen.hesitation_ms / 1000)
            self._striker.strike(chosen.blow, chosen.bot, chosen.lasting_s)
        except (AssertionError, BotctlError, OSError) as error:
            complaints.append(f"after the blow: {error}")
        self._ground.switch_faults({})
        began_s = time.monotonic()
        complaints += self.judge.settle()
        return Outcome(seen=seen, settled_s=time.monotonic() - began_s, complaints=tuple(complaints))

    def end(self) -> list[str]:
        """Nothing is to be done about the fleet, and taken down it leaves nothing."""
        try:
            self._ground.botctl("plan", "--detailed-exitcode")
            self._ground.botctl("down")
        except AssertionError as error:
            return [str(error)]
        return self.judge.all_ended()

    def _reach(self, chosen: Round) -> bool:
        self._ground.switch_faults(dict(chosen.weather))
        if chosen.moment is not Moment.STARTING:
            memory = BotMemory(self._ground.botctl.workspace, chosen.bot)
            return await_moment(memory, chosen.moment) is not None
        return self._restarted(chosen.bot)

    def _restarted(self, bot: str) -> bool:
        """Kill the engine, and wait for its next life to begin."""
        before = self._ground.engine(bot)
        self._striker.strike(Blow.KILL_ENGINE, bot, lasting_s=0)
        deadline = time.monotonic() + 20
        while (now := self._ground.engine(bot)) in (None, before) and time.monotonic() < deadline:
            time.sleep(0.005)
        return now not in (None, before)
