"""What every bot process does around its life, supervised or not: be the only one, signals, control socket."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable

from engine.errors import ConfigInvalid
from engine.host.files import private_directory
from engine.host.generation import AppliedBot, read_current_bot
from engine.host.holds import HoldKind, read_hold
from engine.host.locks import RunnerLock, acquire, is_free, read_holder
from engine.host.workspace import Workspace
from engine.runtime.control import control_socket
from engine.runtime.process import BotProcess
from engine.runtime.startup import Surroundings
from engine.runtime.verbs import Verbs

log = logging.getLogger(__name__)

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""SIGHUP too: a terminal that is closed must not leave orders behind."""
WIND_UP_S = 60.0
"""How long whoever winds the bot up may take before its engine gives up."""
POLL_S = 0.2


def applied_reader(workspace: Workspace, bot: str) -> Callable[[], AppliedBot]:
    """Reads the bot's spec from the current generation; ConfigInvalid when it is not in it."""

    def read() -> AppliedBot:
        applied = read_current_bot(workspace, bot)
        if applied is None:
            raise ConfigInvalid(f"{bot} is not in the applied generation", hint="`botctl apply` puts it there")
        return applied

    return read


async def _only_one(around: Surroundings) -> RunnerLock:
    """The bot's lock. Who is only cancelling its orders is waited for; Locked when somebody runs it."""
    file = private_directory(around.workspace.locks) / around.holder.bot
    for _ in range(round(WIND_UP_S / POLL_S)):
        holder = read_holder(file)
        if is_free(file) or holder is None or not holder.passing:
            break
        await around.world.sleep(POLL_S)
    return acquire(file, around.holder)


async def run_process(around: Surroundings, process: BotProcess) -> None:
    """Live, as the only process of this bot in this workspace; signals to end begin the stop procedure."""
    workspace, bot = around.workspace, around.holder.bot
    lock = await _only_one(around)
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, process.request_stop, number.name)
    try:
        hold = read_hold(workspace, bot)
        if hold and hold.kind is not HoldKind.PAUSE and hold != process.hold:
            log.warning("held while starting", extra={"facts": {"kind": hold.kind, "who": hold.who}})
            return
        log.info("process started", extra={"facts": {"pid": around.holder.pid, "bot": bot}})
        async with control_socket(workspace.control_socket(bot), Verbs(process).table):
            await process.live()
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)  # What has ended well must not look killed to its supervisor.
        lock.release()
