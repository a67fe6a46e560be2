"""Winds one bot up from outside its process: its orders cancelled until the venue says that they are gone, and its
position flattened where that is asked for. `botctl halt` and the sentinel call it once the bot's process is gone.

It is the bot's own stop procedure, with the same locks, journal, recovery and machine; it only never quotes before.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

import msgspec

from engine.errors import Unavailable
from engine.host.endpoints import read_sim_endpoint
from engine.host.files import private_directory
from engine.host.generation import AppliedBot
from engine.host.locks import acquire
from engine.model.events import StopRequested
from engine.runtime.bot import WHOLE_BOT, Bot
from engine.runtime.remains import orders_left
from engine.runtime.startup import Started, Surroundings, start_bot
from engine.runtime.stopping import failure, stand_down
from engine.session.tasks import race
from engine.spec.types import AccountSpec, BotSpec, Environment, StopPolicy
from engine.trading.status import LegStatus

WOUND_UP = "wound up from outside"
STAND_DOWN_S = 5.0


class WindUp:
    """One attempt; `around.holder` says who makes it."""

    def __init__(self, around: Surroundings, applied: AppliedBot, policy: StopPolicy) -> None:
        self._around = around
        process = msgspec.structs.replace(applied.spec.process, stop_policy=policy)
        risk = msgspec.structs.replace(applied.spec.risk, on_trip=None)  # Also of a tripped bot `policy` decides.
        spec = msgspec.structs.replace(applied.spec, process=process, risk=risk)
        self._applied = msgspec.structs.replace(applied, spec=spec)
        self._bot: Bot | None = None

    async def run(self) -> Mapping[str, LegStatus]:
        """Until nothing of the bot's can rest any more, however long its venue is away: the caller sets the limit.
        How its legs stand then; empty where a simulated venue is gone, with every order and position."""
        spec, around = self._applied.spec, self._around
        if not _has_venues(around, spec):
            return {}
        with ExitStack() as held:
            place = private_directory(around.workspace.locks) / spec.name
            held.callback(acquire(place, around.holder).release)
            started = await start_bot(around, self._applied, held)
            self._bot = bot = started.bot
            bot.handle(StopRequested(at_ns=around.world.now_ns(), leg=WHOLE_BOT, why=WOUND_UP))
            conversations = (session.run() for session in started.sessions.values())
            await race(*conversations, failure(around.world, bot), self._end(started))
            return bot.status.legs

    async def _end(self, started: Started) -> None:
        bot = started.bot
        await bot.until(lambda: bot.is_stopped and bot.is_synced)
        await stand_down(self._around.world, started.sessions.values(), timeout_s=STAND_DOWN_S)

    def pending(self) -> str:
        """What is still to be done, in words."""
        if self._bot is None:
            return f"{self._orders()}; its venue has not answered yet"
        legs = self._bot.status.legs.values()
        reasons = sorted({leg.why_not for leg in legs if leg.why_not})
        positions = ", ".join(f"{leg.position:f} {leg.market}" for leg in legs)
        return "; ".join([f"{self._bot.live_orders} of its orders may rest", f"position {positions}", *reasons])

    def _orders(self) -> str:
        around, applied = self._around, self._applied
        left = orders_left(around.workspace, applied.spec, fleet_id=applied.fleet.id, secrets=around.secrets)
        return f"{left} of its orders may rest"


def _has_venues(around: Surroundings, spec: BotSpec) -> bool:
    """Whether anything the bot has somewhere still exists: a simulated venue that ended took it along."""
    accounts = {leg.account: spec.accounts[leg.account] for leg in spec.legs.values()}
    return any(_exists(around, account) for account in accounts.values())


def _exists(around: Surroundings, account: AccountSpec) -> bool:
    if account.environment is not Environment.SIM or account.rest_url:
        return True
    try:
        read_sim_endpoint(around.workspace, account.venue)
    except Unavailable:
        return False
    return True
