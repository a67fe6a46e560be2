"""The life of one bot process: start up, trade, stop as a procedure. Made by `main` and by `botctl run`."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Iterable
from contextlib import ExitStack
from typing import Any, TypeVar

from engine.clock import NS_PER_S
from engine.errors import Refused
from engine.host.finished import Finished, clear_finished, mark_finished
from engine.host.generation import AppliedBot
from engine.host.holds import Hold
from engine.model.events import Paused
from engine.runtime.bot import WHOLE_BOT, Bot
from engine.runtime.logs import set_level
from engine.runtime.report import legs_report
from engine.runtime.startup import Started, Surroundings, open_bot, start_bot
from engine.runtime.stopping import leaves_something, never_started, stop_trading
from engine.session.session import Session
from engine.session.tasks import race
from engine.spec.types import BotSpec

T = TypeVar("T")

log = logging.getLogger(__name__)

DURATION_OVER = "duration is over"


class BotProcess:
    """One process's bot. `read_applied` reads the spec in force, now and at every reload. `hold` is a pause that
    was placed before the process started, `delay_s` what it waits after earlier crashes."""

    def __init__(
        self,
        around: Surroundings,
        read_applied: Callable[[], AppliedBot],
        *,
        hold: Hold | None = None,
        delay_s: float = 0.0,
    ) -> None:
        self.read_applied = read_applied
        self.applied = read_applied()
        self.bot: Bot | None = None
        self._sessions: Iterable[Session] = ()
        self._around = around
        self._hold = hold
        self._delay_s = delay_s
        self._started_ns = around.world.now_ns()
        self._stop_asked_ns = 0
        self._stop: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def now_ns(self) -> int:
        return self._around.world.now_ns()

    def request_stop(self, why: str) -> None:
        """Begin the stop procedure; asking again changes nothing."""
        if not self._stop.done():
            log.info("stop requested", extra={"facts": {"why": why}})
            self._stop_asked_ns = self._around.world.monotonic_ns()
            self._stop.set_result(why)

    def take(self, applied: AppliedBot) -> None:
        """Change to another spec in place; Refused when it trades elsewhere, because that is another bot."""
        if _place(applied.spec) != _place(self.applied.spec):
            raise Refused(
                "accounts, markets and the strategy's kind do not change in place", hint="restart the bot"
            )
        if self.bot:
            self.bot.reconfigure(applied.spec)
        for session in self._sessions:
            session.limit_data_age(float(applied.spec.risk.max_data_age_s))
        self.applied = applied
        set_level(applied.spec.process.log_level)
        log.info("spec taken", extra={"facts": {"fingerprint": applied.fingerprint}})

    def status(self) -> dict[str, Any]:
        """The reply to `status`; its shape is a contract with `botctl status` and with plans."""
        return {
            "name": self.applied.spec.name,
            "pid": os.getpid(),
            "state": self.state,
            "fingerprint": self.applied.fingerprint,
            "generation": self.applied.meta.number,
            "legs": legs_report(self.applied, self.bot.status) if self.bot else {},
            "started_ns": self._started_ns,
        }

    @property
    def state(self) -> str:
        if self._stop.done():
            return "stopping"
        if self.bot is None:
            return "starting"
        if self.bot.failed.done():
            return "failed"
        return "paused" if self.bot.status.paused else "running"

    async def live(self) -> None:
        """From nothing to the end. Returns after a normal end, raises the BotctlError it failed with."""
        set_level(self.applied.spec.process.log_level)
        with ExitStack() as held:
            if self._delay_s:
                log.warning("waiting after crashes", extra={"facts": {"delay_s": self._delay_s}})
                await race(self._around.world.sleep(self._delay_s), asyncio.wait((self._stop,)))
            started = await self._start(held)
            if started:
                await self._trade(started)

    async def _start(self, held: ExitStack) -> Started | None:
        """None when asked to stop before; but what an earlier life left must be seen to first (law 10)."""
        opened = await self._unless_stopped(open_bot(self._around, self.applied, held), patient=False)
        if opened is None:
            return None
        process = self.applied.spec.process
        left = leaves_something(opened.journal, process.stop_policy)
        started = await self._unless_stopped(start_bot(self._around, self.applied, opened, held), patient=left)
        if left and started is None:
            raise never_started(opened.journal, float(process.stop_timeout_s))
        return started

    async def _unless_stopped(self, work: Coroutine[Any, Any, T], *, patient: bool) -> T | None:
        """The result of `work`, or None when asked to stop before; a patient one lets it use the declared time."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait((task, self._stop), return_when=asyncio.FIRST_COMPLETED)
            if patient and not task.done():
                await race(asyncio.wait((task,)), self._around.world.sleep(self._stop_left_s()))
            return task.result() if task.done() else None
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _stop_left_s(self) -> float:
        """What is left of the declared time for stopping."""
        asked_for_ns = self._around.world.monotonic_ns() - self._stop_asked_ns
        return max(0.0, float(self.applied.spec.process.stop_timeout_s) - asked_for_ns / NS_PER_S)

    async def _trade(self, started: Started) -> None:
        self.bot, self._sessions = started.bot, started.sessions.values()
        if started.applied is not self.applied:
            self.take(self.applied)  # it was reloaded while it started
        clear_finished(self._around.workspace, self.applied.spec.name)
        if self._hold:
            who, why = self._hold.who, self._hold.why
            self.bot.handle(Paused(at_ns=self.now_ns(), leg=WHOLE_BOT, who=who, why=why))
        self.bot.tell_time()
        conversations = (session.run() for session in started.sessions.values())
        await race(*conversations, _failure(self.bot), self.bot.keep_house(), self._end(self.bot))

    async def _end(self, bot: Bot) -> None:
        """Wait until somebody asks for the end or the declared duration is over; then stop as a procedure."""
        process = self.applied.spec.process
        if process.duration_s is None:
            await self._stop
        else:
            await race(asyncio.wait((self._stop,)), self._around.world.sleep(float(process.duration_s)))
            self.request_stop(DURATION_OVER)
        why = self._stop.result()
        await stop_trading(self._around.world, bot, why=why, timeout_s=self._stop_left_s())
        if why == DURATION_OVER:
            self._mark_finished()
        log.info("stopped", extra={"facts": {"why": why}})

    def _mark_finished(self) -> None:
        finished = Finished(
            bot=self.applied.spec.name,
            fingerprint=self.applied.fingerprint,
            at_ns=self.now_ns(),
            why=DURATION_OVER,
        )
        mark_finished(self._around.workspace, finished)


async def _failure(bot: Bot) -> None:
    await bot.failed


def _place(spec: BotSpec) -> object:
    """What makes it this bot and no other: changing it is not a change in place."""
    used = {leg.account: spec.accounts[leg.account] for leg in spec.legs.values()}
    return spec.legs, used, spec.strategy.kind
