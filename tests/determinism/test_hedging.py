"""A hedging bot over two simulated venues in virtual time: the scenarios that cost its predecessor money."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from engine.trading.hedging import HedgeStatus
from tests.chaos.hedge_play import PAIRS, HedgePlay
from tests.chaos.play import silence
from tests.chaos.story import Story
from tests.simulated import end_all_tasks

LONGEST_S = 600.0
Stage = Callable[..., HedgePlay]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Makes calm plays over a pair of legs, each in its own directory."""
    plays: list[HedgePlay] = []

    def make(pair: str, *, flatten: bool = False, **strategy: Any) -> HedgePlay:
        story = Story(
            seed=len(plays),
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
        assert play.held(play.places["maker"]) == -play.held(play.places["hedge"])

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
