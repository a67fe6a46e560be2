"""`botctl-engine STATE_DIR BOT`: what supervisor starts for every bot, by `launch`. People use `botctl run`.

It imports nothing it does not trade with: no YAML, no templates, no command line library.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from engine.errors import BotctlError, UsageError
from engine.host.holds import Hold, HoldKind, place_hold, read_hold
from engine.host.process import die_with_parent
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace, workspace_of_state
from engine.runtime.cleanup import wind_up
from engine.runtime.here import surroundings
from engine.runtime.logs import JsonLines, start_log
from engine.runtime.process import BotProcess
from engine.runtime.proxies import proxy_of
from engine.runtime.service import applied_reader, run_process
from engine.runtime.starts import STARTS_PER_HOUR, forget_starts, note_start, starts_within_hour
from engine.runtime.trips import is_trip_over
from engine.spec.types import BotSpec
from engine.transport.live import LiveWorld

log = logging.getLogger(__name__)


def main() -> int:
    """The console script. The last thing it says, if anything, is one line on stderr."""
    try:
        die_with_parent()
        if len(sys.argv) != 3:
            raise UsageError("usage: botctl-engine STATE_DIR BOT")
        asyncio.run(_logged(workspace_of_state(Path(sys.argv[1])), sys.argv[2]))
    except BotctlError as error:
        print(f"error: {error.message}", file=sys.stderr)
        return error.exit_code
    return 0


async def _logged(workspace: Workspace, bot: str) -> None:
    """Run one bot with its log open, so that every way to end is in it."""
    workspace.prepare()
    handler = JsonLines(workspace.logs / f"{bot}.jsonl", beside=_in_thread)
    start_log(handler, "info")
    try:
        await _unless_held(workspace, bot, handler)
    except BotctlError as error:
        log.error("the bot failed", extra={"facts": {"why": error.message, "hint": error.hint}})
        raise
    except Exception:
        log.exception("the bot crashed")
        raise
    finally:
        handler.close()


async def _unless_held(workspace: Workspace, bot: str, handler: JsonLines) -> None:
    """A bot that a person or a limit took out of trade does not even connect; a paused one runs without quoting,
    and one that tripped and crashed before it came to rest runs to do that."""
    hold = read_hold(workspace, bot)
    if hold and not _may_run(workspace, bot, hold):
        log.warning("the bot is held", extra={"facts": {"kind": hold.kind, "who": hold.who, "why": hold.why}})
        return
    await _run(workspace, bot, handler, hold)


def _may_run(workspace: Workspace, bot: str, hold: Hold) -> bool:
    if hold.kind is not HoldKind.TRIP:
        return hold.kind is HoldKind.PAUSE
    applied, secrets = applied_reader(workspace, bot)(), Secrets(workspace, shell=os.environ)
    return not is_trip_over(workspace, applied.spec, fleet_id=applied.fleet.id, secrets=secrets)


async def _run(workspace: Workspace, bot: str, handler: JsonLines, hold: Hold | None) -> None:
    secrets, read_applied = Secrets(workspace, shell=os.environ), applied_reader(workspace, bot)
    world = LiveWorld(proxy_of(read_applied().spec, secrets, hide=handler.hide))
    now_ns = world.now_ns()
    around = surroundings(world, workspace, secrets, bot, handler.hide)
    delay_s = note_start(workspace, bot, now_ns)
    try:
        if why := _worn_out(workspace, read_applied().spec, now_ns):
            log.error("held: it does not stay up", extra={"facts": {"why": why}})
            place_hold(workspace, Hold(bot=bot, kind=HoldKind.TRIP, who="botctl", since_ns=now_ns, why=why))
            await wind_up(world, workspace, read_applied(), secrets, handler)
            return
        await run_process(around, BotProcess(around, read_applied, hold=hold, delay_s=delay_s))
    finally:
        await world.close()
    forget_starts(workspace, bot)


def _worn_out(workspace: Workspace, spec: BotSpec, now_ns: int) -> str:
    """Why the bot must not start once more; empty while its restart budget lasts."""
    starts = starts_within_hour(workspace, spec.name, now_ns)
    most = spec.process.max_restarts_per_hour or STARTS_PER_HOUR
    return f"it started {starts} times within an hour, more than {most}" if starts > most else ""


def _in_thread(work: Callable[[], None]) -> object:
    return asyncio.get_running_loop().run_in_executor(None, work)
