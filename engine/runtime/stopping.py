"""Stopping is a procedure (law 10): no new quotes, own orders cancelled, confirmed gone, and then the process ends.

The machine does the trading part of it; this waits for it, inside the declared deadline.
"""

from __future__ import annotations

from engine.errors import BotctlError
from engine.model.events import StopRequested
from engine.runtime.bot import WHOLE_BOT, Bot
from engine.runtime.journal import Journal
from engine.session.tasks import race
from engine.spec.types import StopPolicy
from engine.transport.world import World

NEXT_START = "the next start resolves them; or cancel them at the venue"


async def stop_trading(world: World, bot: Bot, *, why: str, timeout_s: float) -> None:
    """Stop and wait until nothing of ours can rest any more; BotctlError says what may still live."""
    bot.handle(StopRequested(at_ns=world.now_ns(), leg=WHOLE_BOT, why=why))
    await race(bot.until(lambda: bot.is_stopped), world.sleep(timeout_s))
    if not bot.is_stopped:
        raise _not_confirmed(bot, timeout_s)


def leaves_something(journal: Journal, policy: StopPolicy) -> bool:
    """Whether stopping takes more than ending: an earlier life may have left orders, or what is to be flattened."""
    return journal.live_orders() > 0 or (policy is StopPolicy.FLATTEN and journal.has_fills())


def never_started(journal: Journal, timeout_s: float) -> BotctlError:
    """What to say when the stop procedure could not begin because the bot did not get to its venue."""
    return BotctlError(
        f"not stopped within {timeout_s:g} s, because it could not start; {journal.live_orders()} orders of an "
        "earlier life may still live",
        hint=NEXT_START,
    )


def _not_confirmed(bot: Bot, timeout_s: float) -> BotctlError:
    legs = [
        f"{name}: {leg.orders} resting, {leg.unresolved} unresolved, position {leg.position}"
        for name, leg in bot.status.legs.items()
    ]
    return BotctlError(
        f"not stopped within {timeout_s:.3g} s; {bot.live_orders} orders may still live ({'; '.join(legs)})",
        hint=NEXT_START,
    )
