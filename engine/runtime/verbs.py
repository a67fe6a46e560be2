"""What a running bot can be asked over its control socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from engine.errors import BotctlError, Conflict
from engine.model.events import Paused, Resumed
from engine.runtime.bot import WHOLE_BOT, Bot
from engine.runtime.control import Verb
from engine.runtime.process import BotProcess
from engine.runtime.report import hedge_report, statistics_report

Arguments = Mapping[str, Any]


class Verbs:
    """The verbs of one process. They place and lift no holds: that is what `engine.control` does."""

    def __init__(self, process: BotProcess) -> None:
        self._process = process

    @property
    def table(self) -> dict[str, Verb]:
        return {
            "status": self._status,
            "stats": self._stats,
            "reload": self._reload,
            "pause": self._pause,
            "resume": self._resume,
            "drain": self._drain,
            "stop": self._stop,
        }

    async def _status(self, _arguments: Arguments) -> dict[str, Any]:
        return self._process.status()

    async def _stats(self, _arguments: Arguments) -> dict[str, Any]:
        report = statistics_report(self._bot.statistics)
        return {**report, "hedge": hedge_report(self._bot.status.hedge)}

    async def _reload(self, arguments: Arguments) -> dict[str, Any]:
        """Take the current generation's spec in place; the reply's fingerprint says it has been taken."""
        applied = self._process.read_applied()
        wanted = arguments.get("generation", applied.meta.number)
        if wanted != applied.meta.number:
            raise Conflict(f"the current generation is {applied.meta.number}, not {wanted}")
        self._process.take(applied)
        return {"fingerprint": applied.fingerprint, "generation": applied.meta.number}

    async def _pause(self, arguments: Arguments) -> dict[str, Any]:
        who, why = str(arguments.get("who", "")), str(arguments.get("why", ""))
        self._bot.handle(Paused(at_ns=self._now_ns, leg=WHOLE_BOT, who=who, why=why))
        return self._process.status()

    async def _resume(self, arguments: Arguments) -> dict[str, Any]:
        who = str(arguments.get("who", ""))
        self._bot.handle(Resumed(at_ns=self._now_ns, leg=WHOLE_BOT, who=who))
        return self._process.status()

    async def _drain(self, arguments: Arguments) -> dict[str, Any]:
        """Pause, and answer when every own order is confirmed gone."""
        await self._pause(arguments)
        timeout_s = float(self._process.applied.spec.process.stop_timeout_s)
        try:
            await asyncio.wait_for(self._bot.until(lambda: self._bot.live_orders == 0), timeout_s)
        except TimeoutError as error:
            raise BotctlError(f"own orders are not confirmed gone after {timeout_s:g} s") from error
        return self._process.status()

    async def _stop(self, arguments: Arguments) -> dict[str, Any]:
        why, keep_position = str(arguments.get("why") or "asked to stop"), bool(arguments.get("keep_position"))
        self._process.request_stop(why, keep_position=keep_position, again=bool(arguments.get("again")))
        return self._process.status()

    @property
    def _bot(self) -> Bot:
        if self._process.bot is None:
            raise Conflict("the bot is still starting", hint="try again in a moment")
        return self._process.bot

    @property
    def _now_ns(self) -> int:
        return self._process.now_ns()
