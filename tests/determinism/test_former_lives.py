"""What an earlier life left at the venue: a stop or a move to another market must not leave it there for good."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.errors import BotctlError, Conflict
from engine.runtime.process import BotProcess
from tests.determinism.conftest import MakePlay
from tests.determinism.play import BOT, MARKET, Play
from tests.fleets import bot_spec, write_generation

LIFE_S, STARTING_S = 20.0, 1.0


@pytest.fixture
def slow_venue(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Start-ups wait for the market's facts until the event is set."""
    from engine.runtime import market_facts

    answers, fetch = asyncio.Event(), market_facts.fetch_instrument

    async def fetch_later(*arguments: Any, **named: Any) -> Any:
        await answers.wait()
        return await fetch(*arguments, **named)

    monkeypatch.setattr(market_facts, "fetch_instrument", fetch_later)
    return answers


async def killed(play: Play, answers: asyncio.Event) -> None:
    """A life that ends like kill -9, with orders at a venue where nothing moves any more."""
    answers.set()
    await play.live_and_die(for_s=LIFE_S, leaving_orders=True)
    answers.clear()
    play.is_quiet = True
    assert play.resting_at_venue()


async def begun(process: BotProcess) -> asyncio.Task[None]:
    life = asyncio.create_task(process.live())
    await asyncio.sleep(STARTING_S)
    assert process.state == "starting"
    return life


def test_a_stop_while_starting_still_cancels_what_the_last_life_left(
    make_play: MakePlay, slow_venue: asyncio.Event
) -> None:
    play = make_play(seed=3)

    async def scene() -> None:
        await killed(play, slow_venue)
        process = play.process(play.world())
        life = await begun(process)
        process.request_stop("SIGTERM")
        asyncio.get_running_loop().call_later(2.0, slow_venue.set)
        await life
        assert play.resting_at_venue() == []

    play.run(scene())


def test_a_stop_while_starting_that_cannot_cancel_is_no_clean_end(
    make_play: MakePlay, slow_venue: asyncio.Event
) -> None:
    play = make_play(seed=3)

    async def scene() -> None:
        await killed(play, slow_venue)
        process = play.process(play.world())
        life = await begun(process)
        process.request_stop("SIGTERM")
        with pytest.raises(BotctlError, match="orders of its earlier life may still live"):
            await life

    play.run(scene())


def test_a_stop_while_starting_for_the_first_time_ends_at_once(
    make_play: MakePlay, slow_venue: asyncio.Event
) -> None:
    play = make_play(seed=3)

    async def scene() -> None:
        process = play.process(play.world())
        life = await begun(process)
        process.request_stop("SIGTERM")
        await asyncio.wait_for(life, 0.1)

    play.run(scene())


def test_a_bot_that_was_moved_while_dead_does_not_forget_its_orders(make_play: MakePlay) -> None:
    play = make_play(seed=3)

    async def scene() -> None:
        await play.live_and_die(for_s=LIFE_S, leaving_orders=True)
        play.is_quiet = True
        left = len(play.live_in_journal())
        write_generation(play.workspace, {BOT: bot_spec(BOT, market="BTC_USDC")}, number=2)
        with pytest.raises(Conflict, match=f"{left} on market {MARKET}"):
            await play.process(play.world()).live()

    play.run(scene())


def test_settings_taken_while_starting_are_the_ones_it_trades_with(
    make_play: MakePlay, slow_venue: asyncio.Event
) -> None:
    play = make_play(seed=3)

    async def scene() -> None:
        process = play.process(play.world())
        life = await begun(process)
        write_generation(play.workspace, {BOT: bot_spec(BOT, market=MARKET, layers=1)}, number=2)
        process.take(process.read_applied())
        slow_venue.set()
        await asyncio.wait((life,), timeout=LIFE_S)
        assert {order.request.slot for order in play.live_in_journal()} == {"bid.0", "ask.0"}
        process.request_stop("the play is over")
        await life

    play.run(scene())
