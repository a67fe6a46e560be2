"""The life of one bot process: start up, trade, stop as a procedure. Made by `main` and by `botctl run`."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from engine.clock import NS_PER_S
from engine.errors import BotctlError, Refused
from engine.host.accounts import account_directory
from engine.host.finished import Finished, clear_finished, mark_finished
from engine.host.generation import AppliedBot
from engine.host.holds import Hold, HoldKind
from engine.host.tags import owner_name
from engine.model.account import BudgetUse
from engine.model.events import Paused
from engine.runtime.bot import WHOLE_BOT, Bot
from engine.runtime.logs import set_level
from engine.runtime.market_facts import confirm_facts
from engine.runtime.remains import has_traded, orders_left
from engine.runtime.report import hedge_report, legs_report, risk_report, stakes_report
from engine.runtime.shares import Shares
from engine.runtime.sites import key_digests
from engine.runtime.startup import Started, Surroundings, start_bot
from engine.runtime.stopping import failure, stand_down, stop_trading
from engine.runtime.trips import begin_held, obey_trips
from engine.session.session import Session
from engine.session.tasks import race
from engine.spec.types import BotSpec, StopPolicy

log = logging.getLogger(__name__)

DURATION_OVER = "duration is over"


class BotProcess:
    """One process's bot. `read_applied` reads the spec in force, now and at every reload. `hold` is the pause or
    trip that was placed before the process started, `delay_s` what it waits after earlier crashes."""

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
        self._sessions: Mapping[str, Session] = {}
        self._keys: dict[str, str] = {}
        self._around = around
        self.hold = hold
        self._delay_s = delay_s
        self._started_ns = around.world.now_ns()
        self._stop_asked_ns = 0
        self._keep_position = self._again = False
        self._stop: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def now_ns(self) -> int:
        return self._around.world.now_ns()

    def request_stop(self, why: str, *, keep_position: bool = False, again: bool = False) -> None:
        """Begin the stop procedure; asking twice changes nothing. `keep_position` overrules the stop policy; with
        `again` the process ends as a failure, so that its supervisor starts it again."""
        if not self._stop.done():
            self._keep_position, self._again = keep_position or again, again
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
        for session in self._sessions.values():
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
            "legs": legs_report(self.applied, self.bot.status, self._budgets()) if self.bot else {},
            "stakes": stakes_report(self.bot.stakes) if self.bot else {},
            "hedge": hedge_report(self.bot.status.hedge) if self.bot else None,
            "risk": risk_report(self.bot.status) if self.bot else None,
            "started_ns": self._started_ns,
            "keys": self._keys,
        }

    def _budgets(self) -> dict[str, dict[str, BudgetUse]]:
        return {leg: session.budget_use() for leg, session in self._sessions.items()}

    @property
    def state(self) -> str:
        if self._stop.done():
            return "stopping"
        if self.bot is None:
            return "starting"
        if self.bot.failed.done():
            return "failed"
        if self.bot.trip:
            return "tripped"
        return "paused" if self.bot.status.paused else "running"

    async def live(self) -> None:
        """From nothing to the end. Returns after a normal end, raises the BotctlError it failed with."""
        set_level(self.applied.spec.process.log_level)
        with ExitStack() as held:
            starting = asyncio.create_task(self._start(held))
            try:
                await asyncio.wait((starting, self._stop), return_when=asyncio.FIRST_COMPLETED)
                if not starting.done():
                    await self._start_to_stop(starting)
                if starting.done():
                    await self._trade(starting.result())
            finally:
                starting.cancel()
                await asyncio.gather(starting, return_exceptions=True)
        if self._again:
            raise BotctlError(f"stopped, to be started again: {self._stop.result()}")

    async def _start_to_stop(self, starting: asyncio.Task[Started]) -> None:
        """Asked to end before it began to trade. What an earlier life left at the venue is still to be cancelled
        (law 10), and only a bot that has started can do that."""
        left = self._orders_left()
        if not left and not self._must_trade():
            return
        log.warning("starting only to stop", extra={"facts": {"orders": left}})
        await asyncio.wait((starting,), timeout=self._time_left_s())
        if not starting.done():
            raise BotctlError(
                f"told to stop while starting; {left} orders of its earlier life may still live"
                + (", its position is as it was" if self._must_trade() else ""),
                hint="the next start resolves them; or cancel them at the venue",
            )

    def _must_trade(self) -> bool:
        """Whether the stop policy may have a position to get rid of."""
        spec = self.applied.spec
        keeps = self._keep_position or spec.process.stop_policy is StopPolicy.KEEP
        return not keeps and has_traded(self._around.workspace, spec.name)

    def _orders_left(self) -> int:
        around, applied = self._around, self.applied
        return orders_left(around.workspace, applied.spec, fleet_id=applied.fleet.id, secrets=around.secrets)

    def _time_left_s(self) -> float:
        """Of the declared deadline: what starting took is not given to stopping again, because supervisord counts
        from its signal."""
        taken_s = (self._around.world.monotonic_ns() - self._stop_asked_ns) / NS_PER_S
        return max(0.0, float(self.applied.spec.process.stop_timeout_s) - taken_s)

    async def _start(self, held: ExitStack) -> Started:
        if self._delay_s:
            log.warning("waiting after crashes", extra={"facts": {"delay_s": self._delay_s}})
            await race(asyncio.wait((self._stop,)), self._around.world.sleep(self._delay_s))
        return await start_bot(self._around, self.applied, held)

    def _settle(self, started: Started) -> None:
        """Give a bot that was put together meanwhile the settings that were taken while it was."""
        if self.applied is started.applied:
            return
        started.bot.reconfigure(self.applied.spec)
        for session in started.sessions.values():
            session.limit_data_age(float(self.applied.spec.risk.max_data_age_s))

    async def _trade(self, started: Started) -> None:
        self._settle(started)
        self.bot, self._sessions = started.bot, started.sessions
        self._keys = key_digests(self._around.workspace, started.sites)
        clear_finished(self._around.workspace, self.applied.spec.name)
        begin_held(self.bot, self.hold, self.now_ns())
        if self.hold and self.hold.kind is HoldKind.PAUSE:
            who, why = self.hold.who, self.hold.why
            self.bot.handle(Paused(at_ns=self.now_ns(), leg=WHOLE_BOT, who=who, why=why))
        self.bot.tell_time()
        conversations = (session.run() for session in started.sessions.values())
        shares = self._shares(started)
        confirming = confirm_facts(self._around.world, started.sites, started.addresses, started.facts)
        keeping = (shares.keep(), self.bot.keep_house(), confirming)
        await race(*conversations, *keeping, failure(self._around.world, self.bot), self._end(self.bot))
        shares.renew()

    def _shares(self, started: Started) -> Shares:
        """Of budgets: an account's lie with the account, the fleet's in the workspace."""
        directories = {f"account {site.account.name}": account_directory(site.identity) for site in started.sites}
        directories["fleet"] = self._around.workspace.state
        owner = owner_name(self.applied.fleet.id, self.applied.spec.name)
        return Shares(self._around.world, started.bot, directories.__getitem__, owner)

    async def _end(self, bot: Bot) -> None:
        """Wait until somebody asks for the end, the declared duration is over, or a tripped bot has come to rest;
        then stop as a procedure."""
        await race(asyncio.wait((self._stop,)), self._outlive_duration(), self._wind_up(bot))
        why = self._stop.result()
        world, timeout_s = self._around.world, self._time_left_s()
        await stop_trading(world, bot, why=why, timeout_s=timeout_s, keep_position=self._keep_position)
        await stand_down(world, self._sessions.values(), timeout_s=self._time_left_s())
        if why == DURATION_OVER:
            self._mark_finished()
        log.info("stopped", extra={"facts": {"why": why}})

    async def _outlive_duration(self) -> None:
        duration_s = self.applied.spec.process.duration_s
        if duration_s is None:
            await asyncio.wait((self._stop,))
        else:
            await self._around.world.sleep(float(duration_s))
            self.request_stop(DURATION_OVER)

    async def _wind_up(self, bot: Bot) -> None:
        around = self._around
        why = await obey_trips(around.world, around.workspace, self.applied.spec.name, bot)
        self.request_stop(f"tripped: {why}")

    def _mark_finished(self) -> None:
        finished = Finished(
            bot=self.applied.spec.name,
            fingerprint=self.applied.fingerprint,
            at_ns=self.now_ns(),
            why=DURATION_OVER,
        )
        mark_finished(self._around.workspace, finished)


def _place(spec: BotSpec) -> object:
    """What makes it this bot and no other: changing it is not a change in place."""
    used = {leg.account: spec.accounts[leg.account] for leg in spec.legs.values()}
    return spec.legs, used, spec.strategy.kind
