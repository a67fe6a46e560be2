"""Keeps a bot's shares of the budgets it has with other bots: claims what it needs, and tells the bot what it got.

A bot that is silent (its position unknown, its process dead) leaves its last words: they go on counting.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from engine.clock import NS_PER_S
from engine.host.exposures import Exposures, Words
from engine.model.events import BudgetsRead
from engine.runtime.bot import WHOLE_BOT, Bot
from engine.transport.world import World

log = logging.getLogger(__name__)

RENEW_S = 0.25
MUTE_NS = 5 * NS_PER_S
"""After so long without an answer it is worth a line in the log."""


class Shares:
    """One bot's. `place` finds the directory of a budget by its name, `owner` is the bot's name in there."""

    def __init__(self, world: World, bot: Bot, place: Callable[[str], Path], owner: str) -> None:
        self._world, self._bot, self._place, self._owner = world, bot, place, owner
        self._heard_ns = world.now_ns()

    async def keep(self) -> None:
        """Claim and tell, again and again, until cancelled."""
        while True:
            self.renew()
            await self._world.sleep(RENEW_S)

    def renew(self) -> None:
        """One round. Where a budget does not answer, the bot is told nothing, and its last share gets old."""
        specs, needs = self._bot.budgets, self._bot.budget_needs()
        if not specs or needs is None:
            return
        day, day_pnl_usd = self._bot.day_pnl
        shares = {}
        for name, need in needs.items():
            said = Words(claim=need.has, day=day, day_pnl_usd=day_pnl_usd)
            share = Exposures(self._place(name), self._owner).claim(specs[name], said, need.wants)
            if share is not None:
                shares[name] = share
        now_ns = self._world.now_ns()
        if shares.keys() == specs.keys():
            self._heard_ns = now_ns
            self._bot.handle(BudgetsRead(at_ns=now_ns, leg=WHOLE_BOT, shares=shares))
        elif now_ns - self._heard_ns > MUTE_NS:
            self._heard_ns = now_ns
            log.warning(
                "budgets cannot be read", extra={"facts": {"budgets": sorted(specs.keys() - shares.keys())}}
            )
