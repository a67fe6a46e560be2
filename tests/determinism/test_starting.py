"""What happens to a bot while it is still starting: it owes what its earlier life left."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from decimal import Decimal

import msgspec
import pytest

from engine.clock import NS_PER_S
from engine.errors import BotctlError
from engine.host.generation import AppliedBot
from engine.runtime.process import BotProcess
from engine.runtime.startup import Started, Surroundings, start_bot
from engine.runtime.windup import WindUp
from engine.sim.network import VirtualNetwork
from engine.sim.trouble import Kind, Trouble, Weather
from engine.spec.types import StopPolicy
from tests.determinism.conftest import MakePlay
from tests.determinism.play import BOT, MARKET, Play
from tests.fleets import PROCESS, bot_spec, write_generation

LIFE_S = 10.0


async def stop_while_starting(play: Play) -> None:
    """A second life that is asked to stop before it has asked its venue anything."""
    process = play.process(play.world())
    life = asyncio.ensure_future(process.live())
    await asyncio.sleep(0)
    process.request_stop("changed my mind")
    await life


async def live_with_full_disk(play: Play) -> None:
    world = play.world()
    world.disk_is_full = True
    try:
        await play.process(world).live()
    finally:
        world.fence()


def test_a_stop_while_starting_cancels_what_the_earlier_life_left(make_play: MakePlay) -> None:
    play = make_play(seed=7)
    play.run(play.live_and_die(for_s=LIFE_S, leaving_orders=True))
    assert play.resting_at_venue() != []
    play.run(stop_while_starting(play))
    assert play.resting_at_venue() == []


def test_a_stop_while_starting_fails_in_time_when_the_venue_is_out_of_reach(make_play: MakePlay) -> None:
    play = make_play(seed=7)
    play.run(play.live_and_die(for_s=LIFE_S, leaving_orders=True))
    cut = Trouble(kind=Kind.PARTITION, at_ms=0, for_ms=3_600_000)
    play.network = VirtualNetwork(play.loop, {"backpack": play.venue}, seed=7, weather=Weather((cut,), seed=7))
    began_ns = play.loop.elapsed_ns
    left = len(play.live_in_journal())
    assert left > 0
    with pytest.raises(BotctlError, match=f"{left} orders of its earlier life may still live"):
        play.run(stop_while_starting(play))
    assert play.loop.elapsed_ns - began_ns == 10 * NS_PER_S


def test_a_stop_while_starting_flattens_what_the_earlier_life_held(make_play: MakePlay) -> None:
    play = make_play(seed=7)
    policy = msgspec.structs.replace(PROCESS, stop_policy=StopPolicy.FLATTEN)
    spec = msgspec.structs.replace(bot_spec(BOT, market=MARKET), process=policy)
    write_generation(play.workspace, {BOT: spec})
    play.run(play.live_and_die(for_s=LIFE_S, leaving_orders=True))
    halting = msgspec.structs.replace(spec, process=msgspec.structs.replace(policy, stop_policy=StopPolicy.KEEP))
    write_generation(play.workspace, {BOT: halting})
    play.run(stop_while_starting(play))
    assert play.resting_at_venue() == [] and abs(play.change_at_venue("SOL")) >= Decimal("0.1")
    write_generation(play.workspace, {BOT: spec})
    play.run(stop_while_starting(play))
    assert abs(play.change_at_venue("SOL")) < Decimal("0.1"), "less than the venue takes as an order"


def test_a_bot_that_left_nothing_stops_at_once_while_starting(make_play: MakePlay) -> None:
    play = make_play(seed=7)
    play.run(stop_while_starting(play))
    assert play.loop.elapsed_ns < NS_PER_S


def test_a_full_disk_at_the_start_is_not_taken_for_a_damaged_journal(make_play: MakePlay) -> None:
    play = make_play(seed=7)
    with pytest.raises(BotctlError, match="disk is full") as failure:
        play.run(live_with_full_disk(play))
    assert failure.value.exit_code == 1, "worth starting again"
    play.run(play.live_and_die(for_s=LIFE_S, leaving_orders=True))
    assert play.resting_at_venue() != []


async def wind_up_with_full_disk(play: Play) -> None:
    """Its process is dead, its orders are to be cancelled from outside, and the journal takes nothing."""
    world = play.world()
    applied = play.process(world).read_applied()
    world.disk_is_full = True
    try:
        await WindUp(play.around(world), applied, StopPolicy.KEEP).run()
    finally:
        world.fence()


def test_a_wind_up_on_a_full_disk_fails_and_cancels_all_the_same(make_play: MakePlay) -> None:
    play = make_play(seed=7)
    play.run(play.live_and_die(for_s=LIFE_S, leaving_orders=True))
    assert play.resting_at_venue() != []
    with pytest.raises(BotctlError, match="disk is full"):
        play.run(wind_up_with_full_disk(play))
    assert play.resting_at_venue() == []


def test_a_reload_while_starting_is_what_the_bot_then_trades_by(make_play: MakePlay) -> None:
    play = make_play(seed=7)

    async def scene() -> None:
        process = play.process(play.world())
        life = asyncio.ensure_future(process.live())
        await asyncio.sleep(0.001)
        write_generation(play.workspace, {BOT: bot_spec(BOT, market=MARKET, layers=2)}, number=2)
        process.take(process.read_applied())
        await asyncio.wait((life,), timeout=LIFE_S)
        play.is_quiet = True
        await asyncio.wait((life,), timeout=LIFE_S)
        assert process.bot is not None
        assert process.bot.status.legs["main"].orders == 4
        life.cancel()

    play.run(scene())


def test_a_reload_in_the_moment_in_which_the_start_is_done_counts_too(
    make_play: MakePlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = make_play(seed=7)
    process: list[BotProcess] = []

    async def started(around: Surroundings, applied: AppliedBot, held: ExitStack) -> Started:
        done = await start_bot(around, applied, held)
        write_generation(play.workspace, {BOT: bot_spec(BOT, market=MARKET, layers=2)}, number=2)
        asyncio.get_running_loop().call_soon(lambda: process[0].take(process[0].read_applied()))
        return done

    async def scene() -> None:
        process.append(play.process(play.world()))
        life = asyncio.ensure_future(process[0].live())
        await asyncio.wait((life,), timeout=LIFE_S)
        play.is_quiet = True
        await asyncio.wait((life,), timeout=LIFE_S)
        assert process[0].bot is not None
        assert process[0].bot.status.legs["main"].orders == 4
        life.cancel()

    monkeypatch.setattr("engine.runtime.process.start_bot", started)
    play.run(scene())
