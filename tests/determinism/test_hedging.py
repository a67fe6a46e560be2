"""A hedging bot over two simulated venues in virtual time: the scenarios that cost its predecessor money."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from engine.host.accounts import account_directory
from engine.host.exposures import Exposures, Words, forget
from engine.host.files import private_directory
from engine.host.locks import Holder
from engine.host.secrets import Secrets
from engine.model.budgets import Claim
from engine.runtime.service import applied_reader
from engine.runtime.sites import find_sites
from engine.runtime.startup import Surroundings
from engine.runtime.windup import WindUp
from engine.sim.network import Host
from engine.spec.types import BudgetSpec, BudgetsSpec, StopPolicy
from engine.trading.hedging import HedgeStatus
from tests.chaos.hedge_play import BOT, HedgePlay
from tests.chaos.play import silence
from tests.chaos.story import PAIRS, Story
from tests.simulated import end_all_tasks

LONGEST_S = 600.0
Stage = Callable[..., HedgePlay]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Makes calm plays over a pair of legs, each in its own directory."""
    plays: list[HedgePlay] = []

    def make(pair: str, *, flatten: bool = False, **strategy: Any) -> HedgePlay:
        story = Story(
            seed=len(plays) + 1,  # without a budget
            venue="",
            bots=("hedge",),
            pace=3.0,
            flatten=flatten,
            latency_ms=5,
            taker_delay_ms=0,
            cancels_later=False,
            lag_ms=0,
            expires_crossing=False,
            troubles=(),
            pair=pair,
        )
        plays.append(HedgePlay(tmp_path / str(len(plays)), story, **strategy))
        return plays[-1]

    with patch.dict(os.environ, XDG_STATE_HOME=str(tmp_path / "host")), silence():
        yield make
    for play in plays:
        play.loop.close()


def run(play: HedgePlay, scene: Coroutine[Any, Any, None]) -> None:
    """A scene with the bot alive from its beginning on; nothing forbidden may have happened in it."""

    async def whole() -> None:
        life = asyncio.ensure_future(play.keeper.keep())
        looking = asyncio.ensure_future(play.look())
        await scene
        play.keeper.end()
        await asyncio.wait([life], timeout=60)
        looking.cancel()
        play.stopped("hedge")

    try:
        play.loop.run_until_complete(asyncio.wait_for(whole(), LONGEST_S))
    finally:
        play.loop.run_until_complete(end_all_tasks())
    assert play.complaints == []


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def hedge_of(play: HedgePlay) -> HedgeStatus | None:
    process = play.keeper.process
    return process.bot.status.hedge if process and process.bot else None


def filled(play: HedgePlay, leg: str = "maker") -> int:
    return len(play.fills(play.places[leg]))


async def settled(play: HedgePlay) -> None:
    """The market rests, and belief and truth agree on both legs."""
    play.rest()
    await asyncio.sleep(10)
    play.agree(play.keeper.process)


@pytest.mark.parametrize("pair", PAIRS)
def test_every_fill_is_hedged_on_every_pair_of_legs(stage: Stage, pair: str) -> None:
    play = stage(pair)

    async def scene() -> None:
        interfering = asyncio.ensure_future(play.interfere())
        await until(lambda: filled(play) > 20)
        interfering.cancel()
        await settled(play)
        assert filled(play, "hedge") >= 10
        hedge = hedge_of(play)
        assert hedge and hedge.time_to_hedge.count >= 10 and (hedge.time_to_hedge.p95_ms or 0) <= 500

    run(play, scene())


@pytest.mark.parametrize("effects", range(8))
def test_a_bot_killed_between_fill_and_hedge_hedges_after_its_restart(stage: Stage, effects: int) -> None:
    play = stage("backpack and paradex")

    async def scene() -> None:
        await until(lambda: hedge_of(play) and filled(play))
        play.keeper.crash_in(effects)
        await until(lambda: play.keeper.lives == 2 and hedge_of(play))
        await settled(play)
        assert abs(play.residual) < play.smallest_hedge()

    run(play, scene())


def test_a_hedge_account_without_money_raises_the_alarm_and_hedges_when_it_has_some_again(stage: Stage) -> None:
    play = stage("backpack and paradex", hedge_leverage=100)
    far = play.places["hedge"].exchange.account("far")

    async def scene() -> None:
        await until(lambda: filled(play, "hedge") > 3)
        far.total["USDC"], money = Decimal("0.01"), far.total["USDC"]
        await until(lambda: (hedge := hedge_of(play)) and hedge.alarm)
        play.is_quiet = True
        await asyncio.sleep(2)
        assert abs(play.residual) >= play.smallest_hedge()
        assert play.resting(play.places["maker"]) == []
        far.total["USDC"] = money
        await until(lambda: (hedge := hedge_of(play)) and not hedge.alarm)
        await settled(play)

    run(play, scene())


def test_fills_below_the_smallest_hedge_are_added_up(stage: Stage) -> None:
    play = stage("backpack and paradex", order_size="0.03")

    async def scene() -> None:
        await until(lambda: filled(play) > 40)
        await settled(play)
        fills = play.fills(play.places["hedge"])
        hedge = play.places["hedge"].instrument
        assert fills and filled(play, "hedge") < filled(play) / 2
        assert all(hedge.notional(fill.ticks, fill.lots) >= hedge.min_notional for fill in fills)

    run(play, scene())


@pytest.mark.parametrize("flatten", [False, True])
@pytest.mark.parametrize("pair", ["spot and perp", "backpack and paradex"])
def test_a_stop_in_the_middle_of_a_hedge_finishes_it(stage: Stage, pair: str, flatten: bool) -> None:
    play = stage(pair, flatten=flatten)

    async def scene() -> None:
        await until(lambda: filled(play) > 4 and abs(play.residual) >= play.smallest_hedge())

    run(play, scene())


@pytest.mark.parametrize(("budget", "pair"), [("fleet", "two accounts"), ("account far", "backpack and paradex")])
def test_a_pair_quotes_only_what_its_budgets_leave_to_both_legs(stage: Stage, budget: str, pair: str) -> None:
    """Another bot, dead since, has all of it but a little. Once it is destroyed, there is enough for two quotes."""
    play, limit = stage(pair), BudgetSpec(max_gross_exposure_usd=Decimal(400))
    shared = BudgetsSpec(fleet=limit) if budget == "fleet" else BudgetsSpec(accounts={"far": limit})
    play.spec = replace(play.spec, budgets=shared)
    play.apply(BOT, spread_bps=0)
    sites = find_sites(play.workspace, play.spec, fleet_id="test", secrets=Secrets(play.workspace, shell={}))
    place = play.workspace.state if budget == "fleet" else account_directory(sites[1].identity)
    dead = Words(claim=Claim(long_usd=Decimal(380), gross_usd=Decimal(380)), day=0, day_pnl_usd=Decimal(0))
    private_directory(place)
    Exposures(place, "test/dead").claim(limit, dead, dead.claim)

    async def scene() -> None:
        await until(lambda: hedge_of(play))
        await asyncio.sleep(10)
        assert filled(play) == 0 and play.resting(play.places["maker"]) == []
        forget(place, "test/dead")
        await until(lambda: filled(play, "hedge") > 5)
        await settled(play)

    run(play, scene())


# One venue out of reach --------------------------------------------------------------------------------------


@contextmanager
def out_of_reach(play: HedgePlay, *venues: str) -> Iterator[None]:
    """Nothing listens there, and what was connected is lost."""
    reach = play.network.host

    def host(url: str) -> Host | None:
        return None if url.split("/")[2] in venues else reach(url)

    for venue in venues:
        if known := reach(f"http://{venue}/"):
            known.hang_up()
    with patch.object(play.network, "host", host):
        yield


def dead(play: HedgePlay) -> Coroutine[Any, Any, None]:
    """Killed for good, with quotes resting and both legs held."""

    async def scene() -> None:
        life = asyncio.ensure_future(play.keeper.keep())
        await until(lambda: filled(play, "hedge") > 2)
        play.is_quiet = True
        await until(lambda: abs(play.residual) < play.smallest_hedge() and play.resting(play.places["maker"]))
        play.keeper.crash_in(0)
        await until(lambda: play.keeper.process is None)
        assert play.resting(play.places["maker"])
        life.cancel()
        await asyncio.wait([life])

    return scene()


def wind_up(play: HedgePlay, policy: StopPolicy) -> WindUp:
    """Its own command or sentinel, in a process of its own."""
    around = Surroundings(
        world=play.world("outside"),
        workspace=play.workspace,
        secrets=Secrets(play.workspace, shell={}),
        holder=Holder(pid=os.getpid(), bot=BOT, workspace=str(play.workspace.root), since_ns=0, passing=True),
        hide=lambda _secrets: None,
    )
    return WindUp(around, applied_reader(play.workspace, BOT)(), policy)


@pytest.mark.parametrize("policy", [StopPolicy.KEEP, StopPolicy.FLATTEN])
def test_a_dead_pairs_quotes_are_cancelled_while_its_hedge_venue_is_away(stage: Stage, policy: StopPolicy) -> None:
    play = stage("backpack and paradex")
    maker, hedge = play.places["maker"], play.places["hedge"]

    async def scene() -> None:
        await dead(play)
        held = play.held(maker), play.held(hedge)
        with out_of_reach(play, "paradex"):
            work = wind_up(play, policy)
            winding = asyncio.ensure_future(work.run())
            await asyncio.sleep(20)
            assert play.resting(maker) == []
            assert not winding.done() and "SOL-USD-PERP" in work.pending()
            assert (play.held(maker), play.held(hedge)) == held, "half of a pair is not flattened"
        await asyncio.wait_for(winding, 60)
        assert (play.held(maker), play.held(hedge)) == (held if policy is StopPolicy.KEEP else (0, 0))

    play.loop.run_until_complete(asyncio.wait_for(scene(), LONGEST_S))
    play.loop.run_until_complete(end_all_tasks())


def test_a_pair_that_starts_while_its_hedge_venue_is_away_does_not_leave_its_quotes(stage: Stage) -> None:
    play = stage("backpack and paradex")
    maker = play.places["maker"]

    async def scene() -> None:
        await until(lambda: filled(play, "hedge") > 2 and play.resting(maker))
        play.is_quiet = True
        await until(lambda: play.resting(maker))
        with out_of_reach(play, "paradex"):
            play.keeper.crash_in(0)
            await until(lambda: play.keeper.lives == 2)
            await until(lambda: not play.resting(maker))
            await asyncio.sleep(20)
            assert play.resting(maker) == []
        await until(lambda: play.resting(maker))
        assert play.keeper.lives == 2
        await settled(play)

    run(play, scene())


def test_a_pair_that_began_with_facts_that_have_changed_is_started_again(stage: Stage) -> None:
    play = stage("backpack and paradex")
    at = play.places["hedge"].exchange.markets["SOL-USD-PERP"]

    async def scene() -> None:
        await until(lambda: filled(play, "hedge") > 2)
        with out_of_reach(play, "paradex"):
            play.keeper.crash_in(0)
            await until(lambda: play.keeper.lives == 2 and hedge_of(play))
            larger = replace(at.market.instrument, min_notional=Decimal(15))
            at.market = replace(at.market, instrument=larger)
        await until(lambda: play.keeper.lives == 3 and hedge_of(play))
        await settled(play)

    run(play, scene())
