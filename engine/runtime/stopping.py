"""Stopping is a procedure (law 10): no new quotes, own orders cancelled, confirmed gone, and then the process ends.

The machine does the trading part of it; this waits for it, inside the declared deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from engine.clock import NS_PER_S
from engine.errors import BotctlError
from engine.model.events import StopRequested
from engine.runtime.bot import WHOLE_BOT, Bot
from engine.session.session import Session
from engine.session.tasks import race
from engine.transport.world import World

LAST_CANCELS_S = 2.0
"""Time for the cancels of a failed bot to leave, and as much to arrive; nobody waits for what they lead to."""
LONGEST_CANCEL_S = 10.0
"""What reducing leaves of the deadline for its last cancel; of a short deadline, half."""


async def stop_trading(world: World, bot: Bot, *, why: str, timeout_s: float, keep_position: bool = False) -> None:
    """Stop and wait until nothing of ours can rest any more; BotctlError says what may still live."""
    now_ns = world.now_ns()
    reduce_for_s = timeout_s - min(LONGEST_CANCEL_S, timeout_s / 2)
    bot.handle(
        StopRequested(
            at_ns=now_ns,
            leg=WHOLE_BOT,
            why=why,
            keep_position=keep_position,
            reduce_until_ns=now_ns + round(reduce_for_s * NS_PER_S),
        )
    )
    await race(bot.until(lambda: bot.is_stopped), world.sleep(timeout_s))
    if not bot.is_stopped:
        raise _not_confirmed(bot, timeout_s)


async def stand_down(world: World, sessions: Iterable[Session], *, timeout_s: float) -> None:
    """Take back what the venues would do when they hear of us no more. Never after a stop that was not confirmed:
    then it is what ends the orders that are left."""

    async def each() -> None:
        for session in sessions:
            await session.stand_down()

    await race(each(), world.sleep(timeout_s))


def _not_confirmed(bot: Bot, timeout_s: float) -> BotctlError:
    legs = [
        f"{name}: {leg.orders} resting, {leg.unresolved} unresolved, position {leg.position}"
        for name, leg in bot.status.legs.items()
    ]
    return BotctlError(
        f"not stopped within {timeout_s:g} s; {bot.live_orders} orders may still live ({'; '.join(legs)})",
        hint="the next start resolves them; or cancel them at the venue",
    )


async def failure(world: World, bot: Bot) -> None:
    """Ends with what the bot failed with. One that cannot go on, with a full disk for example, may stay away for
    hours: what it has resting is not left alone with the market."""
    try:
        await bot.failed
    except Exception:
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_CANCELS_S):
                await bot.cancel_blindly()
        await world.sleep(LAST_CANCELS_S)
        raise
