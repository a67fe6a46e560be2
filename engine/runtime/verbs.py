"""What a running bot can be asked over its control socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.errors import BotctlError, Conflict, UsageError
from engine.model.events import Paused, PositionAdopted, PositionIgnored, Resumed
from engine.model.instrument import Instrument, plain
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
            "adopt": self._adopt,
            "ignore": self._ignore,
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

    async def _adopt(self, arguments: Arguments) -> dict[str, Any]:
        """Take the unexplained part of a leg's position into the bot's books; the reply says what it is then."""
        leg, lots, instrument = self._difference(arguments)
        ticks = _ticks(instrument, arguments.get("price"))
        event = PositionAdopted(
            at_ns=self._now_ns, leg=leg, lots=lots, ticks=ticks, who=str(arguments.get("who", ""))
        )
        return self._settled(event, "neither the venue's entry price nor the market's mid is known: say the price")

    async def _ignore(self, arguments: Arguments) -> dict[str, Any]:
        """Leave the unexplained part of a leg's position alone for good."""
        leg, lots, _ = self._difference(arguments)
        event = PositionIgnored(at_ns=self._now_ns, leg=leg, lots=lots, who=str(arguments.get("who", "")))
        return self._settled(event, "it could not be settled")

    def _difference(self, arguments: Arguments) -> tuple[str, int, Instrument]:
        """What the caller was shown; Conflict when that is not what there is."""
        leg, size = str(arguments.get("leg", "")), str(arguments.get("size", ""))
        seen = self._bot.status.legs.get(leg)
        if seen is None:
            raise UsageError(f"no leg {leg!r}", hint=f"its legs: {', '.join(self._bot.status.legs)}")
        if not seen.unexplained or plain(seen.unexplained) != size:
            raise Conflict(
                f"what is unexplained of leg {leg} is {plain(seen.unexplained)} by now, not {size}",
                hint="look again: `botctl status`",
            )
        instrument = self._bot.instruments[leg]
        return leg, instrument.lots_exact(seen.unexplained), instrument

    def _settled(self, event: PositionAdopted | PositionIgnored, why_not: str) -> dict[str, Any]:
        self._bot.handle(event)
        if self._bot.status.legs[event.leg].unexplained:
            raise Conflict(why_not)
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


def _ticks(instrument: Instrument, price: Any) -> int | None:
    """A stated price on the market's grid; None where none was stated."""
    if price is None:
        return None
    try:
        ticks = instrument.ticks_exact(Decimal(str(price)))
    except (ArithmeticError, ValueError) as error:
        raise UsageError(
            f"{price} is no price of {instrument.symbol}", hint=f"tick size: {plain(instrument.tick_size)}"
        ) from error
    if ticks <= 0:
        raise UsageError(f"{price} is no price of {instrument.symbol}")
    return ticks
