"""What every bot process does around its life, supervised or not: be the only one, signals, control socket."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable

from engine.errors import ConfigInvalid
from engine.host.files import private_directory
from engine.host.generation import AppliedBot, read_current_bot
from engine.host.locks import acquire
from engine.host.workspace import Workspace
from engine.runtime.control import control_socket
from engine.runtime.process import BotProcess
from engine.runtime.startup import Surroundings
from engine.runtime.verbs import Verbs

log = logging.getLogger(__name__)

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""SIGHUP too: a terminal that is closed must not leave orders behind."""


def applied_reader(workspace: Workspace, bot: str) -> Callable[[], AppliedBot]:
    """Reads the bot's spec from the current generation; ConfigInvalid when it is not in it."""

    def read() -> AppliedBot:
        applied = read_current_bot(workspace, bot)
        if applied is None:
            raise ConfigInvalid(f"{bot} is not in the applied generation", hint="`botctl apply` puts it there")
        return applied

    return read


async def run_process(around: Surroundings, process: BotProcess) -> None:
    """Live, as the only process of this bot in this workspace; signals to end begin the stop procedure."""
    workspace, bot = around.workspace, around.holder.bot
    lock = acquire(private_directory(workspace.locks) / bot, around.holder)
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, process.request_stop, number.name)
    try:
        log.info("process started", extra={"facts": {"pid": around.holder.pid, "bot": bot}})
        async with control_socket(workspace.control_socket(bot), Verbs(process).table):
            await process.live()
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
        lock.release()
