"""A whole bot on an exclusive account: what its venue does when it hears of the bot no more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.errors import BotctlError
from engine.exchanges.interface import Credentials
from engine.model.instrument import MarketKind
from engine.runtime.windup import WindUp
from engine.sim.aster.settings import AsterSettings
from engine.sim.aster.venue import AsterMachine
from engine.sim.machine import HttpReceived, Inbound, Outbound
from engine.spec.types import BotSpec, LegSpec, StopPolicy, StrategySpec
from tests.determinism.play import ACCOUNT, BOT, Play
from tests.fleets import STRATEGY, bot_spec

MARKET, SWITCH_S, LIFE_S = "SOLUSDT", 20, 20.0
SPOT_ONLY = ("capital", "base_target_pct", "rebalance_threshold_pct", "rebalance_slippage_bps")


class AsterPlay(Play):
    """Aster's perps, the account declared exclusive and its switch on."""

    venue_name = "aster"

    def _make_venue(self, keys: Credentials) -> AsterMachine:
        venue = AsterMachine(MarketKind.PERP, AsterSettings(), self._flow)
        venue.open_account(ACCOUNT, keys, {"USDT": Decimal(10_000)})
        return venue

    def _spec(self) -> BotSpec:
        spec = bot_spec(BOT)
        account = replace(spec.accounts[ACCOUNT], venue="aster", exclusive=True, dead_mans_switch_s=SWITCH_S)
        parameters = {name: value for name, value in STRATEGY.items() if name not in SPOT_ONLY}
        parameters |= {"inventory_skew": "0.5", "target_position": "0"}
        return replace(
            spec,
            legs={"main": LegSpec(venue="aster", account=ACCOUNT, market=MARKET)},
            accounts={ACCOUNT: account},
            strategy=StrategySpec(kind="perp_market_maker", parameters=parameters),
        )

    def lose_requests(self) -> None:
        """From now on nothing that is asked reaches the venue."""
        handle = self.venue.handle

        def deaf(message: Inbound, now_ns: int) -> list[Outbound]:
            return [] if isinstance(message, HttpReceived) else handle(message, now_ns)

        self.venue.handle = deaf  # type: ignore[method-assign]  # on its way to the venue

    @property
    def countdowns(self) -> int:
        """How many switches are set at the venue."""
        assert isinstance(self.venue, AsterMachine)
        return len(self.venue._state.countdowns)


@pytest.fixture
def play(tmp_path: Path) -> Iterator[AsterPlay]:
    made = AsterPlay(tmp_path, seed=3)
    yield made
    made.close()


def test_of_a_bot_that_was_killed_the_venue_cancels_what_rests(play: AsterPlay) -> None:
    async def scene() -> None:
        await play.live_and_die(for_s=LIFE_S, leaving_orders=True)
        play.is_quiet = True
        assert play.resting_at_venue() and play.countdowns == 1
        await asyncio.sleep(SWITCH_S + 1)
        assert play.resting_at_venue() == []

    play.run(scene())


def test_a_bot_that_was_stopped_leaves_no_switch_behind(play: AsterPlay) -> None:
    async def scene() -> None:
        process = play.process(play.world())
        life = asyncio.ensure_future(process.live())
        await asyncio.sleep(LIFE_S)
        assert play.countdowns == 1
        process.request_stop("SIGTERM")
        await life
        assert play.resting_at_venue() == [] and play.countdowns == 0

    play.run(scene())


def test_a_stop_that_could_not_cancel_leaves_it_to_the_switch(play: AsterPlay) -> None:
    async def scene() -> None:
        process = play.process(play.world())
        life = asyncio.ensure_future(process.live())
        await asyncio.sleep(LIFE_S)
        await play.resting()
        play.is_quiet = True
        play.lose_requests()
        process.request_stop("SIGTERM")
        with pytest.raises(BotctlError, match="not stopped"):
            await life
        assert play.resting_at_venue()
        await asyncio.sleep(SWITCH_S + 1)
        assert play.resting_at_venue() == []

    play.run(scene())


def test_winding_a_killed_bot_up_takes_its_switch_back(play: AsterPlay) -> None:
    async def scene() -> None:
        await play.live_and_die(for_s=LIFE_S, leaving_orders=True)
        play.is_quiet = True
        await WindUp(play.around(play.world()), play.read_applied()(), StopPolicy.KEEP).run()
        assert play.resting_at_venue() == [] and play.countdowns == 0

    play.run(scene())
