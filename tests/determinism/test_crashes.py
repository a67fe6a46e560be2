"""kill -9 at any instruction: afterwards belief and venue agree, to the order, the fill and the lot (law 4).

A life is cut off at a point before or after one of its effects (a request, a frame, a commit). The venue goes on
alone for a while, the bot starts again and trades on; then the market is quiet for a minute, and both sides are
compared. At last the bot stops, and nothing may be left.
"""

from __future__ import annotations

import asyncio

import pytest

from engine.runtime.bot import Bot
from tests.determinism.conftest import MakePlay
from tests.determinism.play import Play

SEED = 11
POINTS = 50
LIFE_S = 30.0
LONGEST_LIFE_S = 120.0
ALONE_S = 0.7
BUSY_S = 5.0
QUIET_S = 60.0
QUOTES = 6


def crash_points() -> list[int]:
    """Spread over a whole life: from the very first commit to quoting under full sail."""
    return [2 * n * n // 5 + n for n in range(POINTS)]


@pytest.mark.parametrize("crash_at", crash_points())
def test_after_a_crash_belief_and_venue_agree(make_play: MakePlay, crash_at: int) -> None:
    play = make_play(seed=SEED)
    play.run(crash_and_return(play, [crash_at]))


@pytest.mark.parametrize("seed", range(3))
def test_a_bot_that_crashes_again_and_again_still_agrees(make_play: MakePlay, seed: int) -> None:
    play = make_play(seed=seed)
    play.run(crash_and_return(play, [150, 31, 64, 7, 90, 55]))


def test_crash_points_reach_from_start_up_far_into_trading(make_play: MakePlay) -> None:
    play = make_play(seed=SEED)
    world = play.run(play.live_and_die(for_s=LIFE_S))
    assert max(crash_points()) < world.points
    assert len(play.fills_at_venue()) > 0


async def crash_and_return(play: Play, crash_points: list[int]) -> None:
    for crash_at in crash_points:
        world = await play.live_and_die(for_s=LONGEST_LIFE_S, crash_at=crash_at)
        assert world.points > crash_at, "the life ended before the point"
        await asyncio.sleep(ALONE_S)
    process = play.process(play.world())
    life = asyncio.ensure_future(process.live())
    await asyncio.wait((life,), timeout=BUSY_S)
    play.is_quiet = True
    await asyncio.wait((life,), timeout=QUIET_S)
    assert process.bot is not None
    assert_belief_is_truth(play, process.bot)
    process.request_stop("the play is over")
    await life
    assert play.resting_at_venue() == []
    assert_fills_are_the_venue_s(play)


def assert_belief_is_truth(play: Play, bot: Bot) -> None:
    status = bot.status.legs["main"]
    assert (status.ready, status.why_not, status.unresolved) == (True, "", 0)
    live = play.live_in_journal()
    assert {order.request.client_id for order in live} == set(play.resting_at_venue())
    assert len(live) == len(play.resting_at_venue()) == status.orders == QUOTES
    slots = {order.request.slot for order in live}
    assert len(slots) == len(live), "a slot is doubled"
    assert_fills_are_the_venue_s(play)
    assert status.fills == len(play.fills_at_venue())
    assert status.position - status.fees.get("SOL", 0) == play.change_at_venue("SOL")


def assert_fills_are_the_venue_s(play: Play) -> None:
    """Every fill once: the same trades, sides, prices, sizes and fees on both sides."""
    ours = [each.fill for each in play.fills_in_journal()]
    believed = [(f.trade_id, f.client_id, f.side, f.ticks, f.lots, f.fee) for f in ours]
    known = [(str(f.trade_id), f.client_id, f.side, f.ticks, f.lots, f.fee) for f in play.fills_at_venue()]
    assert sorted(believed) == sorted(known)
