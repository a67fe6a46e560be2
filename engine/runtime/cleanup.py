"""Cancels the orders of one bot whose process is gone. The sentinel runs it as a process of its own, so that the
sentinel itself never loads a venue; what it does stands in the bot's own log and journal.
"""

from __future__ import annotations

import asyncio
import logging

from engine.errors import BotctlError, Conflict
from engine.host.generation import AppliedBot, read_current_bot
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.runtime.here import surroundings
from engine.runtime.logs import JsonLines, start_log
from engine.runtime.proxies import proxy_of
from engine.runtime.windup import WindUp
from engine.spec.types import StopPolicy
from engine.transport.live import LiveWorld

log = logging.getLogger(__name__)

LONGEST_S = 60.0


def clean_up(workspace: Workspace, bot: str) -> None:
    """Until nothing of the bot's rests; BotctlError when that is not certain in time."""
    handler = JsonLines(workspace.logs / f"{bot}.jsonl", beside=lambda work: work())
    start_log(handler, "info")
    try:
        asyncio.run(_clean_up(workspace, bot, handler))
    except BotctlError as error:
        log.error("the sentinel could not cancel", extra={"facts": {"why": error.message}})
        raise
    finally:
        handler.close()


async def _clean_up(workspace: Workspace, bot: str, handler: JsonLines) -> None:
    applied = read_current_bot(workspace, bot)
    if applied is None:
        raise Conflict(f"{bot} is not in the applied generation")
    secrets = Secrets(workspace, shell={})
    world = LiveWorld(proxy_of(applied.spec, secrets, hide=handler.hide))
    try:
        await wind_up(world, workspace, applied, secrets, handler)
    finally:
        await world.close()


async def wind_up(
    world: LiveWorld, workspace: Workspace, applied: AppliedBot, secrets: Secrets, handler: JsonLines
) -> None:
    """In this process, within a bounded time; the position stays."""
    around = surroundings(world, workspace, secrets, applied.spec.name, handler.hide, passing=True)
    work = WindUp(around, applied, StopPolicy.KEEP)
    log.warning("nobody runs the bot: cancelling its orders", extra={"facts": {"waiting": work.pending()}})
    try:
        async with asyncio.timeout(LONGEST_S):
            await work.run()
    except TimeoutError:
        raise BotctlError(f"not done within {LONGEST_S:g} s: {work.pending()}") from None
    log.warning("its orders are cancelled", extra={"facts": {"by": "sentinel"}})
