"""Keeps one bot alive through its story, as a supervisor would: a new life after every death."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

from engine.clock import NS_PER_MS
from engine.errors import BotctlError
from engine.host.holds import read_hold
from engine.host.locks import Holder
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.runtime.process import BotProcess
from engine.runtime.service import applied_reader
from engine.runtime.startup import Surroundings
from engine.sim.world import Crashed, VirtualWorld
from tests.chaos.journals import is_at_rest
from tests.chaos.story import Blow, Mishap

BETWEEN_LIVES_S = 0.7
LOOK_EVERY_S, LOOK_SELDOM_S = 0.05, 1.0
PATIENCE_S = 10.0
SOCKETS_PER_LEG = 2
"""One for the market, one for the account."""
SETTLE_S, STIRS_S = 100.0, 30.0
"""How long everything has to come to rest, and how long something may still move."""
NOT_RESTARTED = (3, 4, 5)
"""Exit codes after which a supervisor leaves a bot alone."""


class Stage(Protocol):
    """What a keeper needs of the play."""

    workspace: Workspace

    def world(self, name: str) -> VirtualWorld: ...

    def apply(self, bot: str, *, spread_bps: int) -> None:
        """Put another spread into the generation in force."""

    def stopped(self, bot: str) -> None:
        """The bot ended as one that was asked to."""

    def complain(self, what: str) -> None:
        """Something happened that must not happen."""


class Looking(Protocol):
    """A play, as far as it looks at its venues again and again."""

    look_every_s: float


async def settle(play: Looking) -> None:
    """Let the market rest. Where nothing moves any more, few looks see as much as many."""
    await asyncio.sleep(STIRS_S)
    play.look_every_s = LOOK_SELDOM_S
    await asyncio.sleep(SETTLE_S - STIRS_S)
    play.look_every_s = LOOK_EVERY_S


async def until_all_quote(keepers: Iterable[Keeper]) -> None:
    """A while longer, if need be, until all have quoted for a second, with nothing under way. Of a market that
    rests nothing is said, so that a bot may just be asking for its book."""
    waiting, quoted_s = list(keepers), 0.0
    for _ in range(round(PATIENCE_S / LOOK_EVERY_S)):
        quoted_s = quoted_s + LOOK_EVERY_S if all(keeper.quotes for keeper in waiting) else 0.0
        if quoted_s > 1.0:
            return
        await asyncio.sleep(LOOK_EVERY_S)


class Keeper:
    """One bot of a play."""

    def __init__(self, play: Stage, bot: str) -> None:
        self.bot = bot
        self.process: BotProcess | None = None
        self.lives = 0
        self._play = play
        self._world: VirtualWorld | None = None
        self._clock_ahead_ns = 0
        self._disk_is_full = False
        self._down_s = 0.0
        self._is_over = False
        self._was_deaf = False

    async def keep(self) -> None:
        while not self._is_over:
            await self._live()
            self.process = self._world = None
            await asyncio.sleep(BETWEEN_LIVES_S + self._down_s)
            self._down_s = 0.0

    @property
    def quotes(self) -> bool:
        """Whether the bot knows all it needs, and has orders resting, none of them under way."""
        if self.process is None or self.process.bot is None:
            return False
        legs = self.process.bot.status.legs.values()
        knows_all = all(leg.ready and not leg.unresolved for leg in legs) and any(leg.orders for leg in legs)
        return knows_all and is_at_rest(self._play.workspace, self.bot)

    @property
    def is_deaf(self) -> bool:
        """Whether one of its sockets is closed, and was when it was last looked: so the bot knows it."""
        return self._was_deaf and self._lacks_sockets

    def look(self) -> None:
        """To be called now and then, for `is_deaf`."""
        self._was_deaf = self._lacks_sockets

    @property
    def _lacks_sockets(self) -> bool:
        if self._world is None or self.process is None:
            return False
        return self._world.open_sockets < SOCKETS_PER_LEG * len(self.process.applied.spec.legs)

    def end(self) -> None:
        """Stop for good."""
        self._is_over = True
        if self.process:
            self.process.request_stop("the play is over")

    def relent(self) -> None:
        """Nothing more goes wrong: a crash whose point has not come is called off."""
        if self._world:
            self._world.crash_in(None)
        self._fill_disk(False)

    def crash_in(self, effects: int) -> None:
        """Die after some more effects."""
        if self._world:
            self._world.crash_in(effects)

    def suffer(self, mishap: Mishap) -> None:
        """Take one blow of the story."""
        match mishap.blow:
            case Blow.CRASH:
                self.crash_in(mishap.amount)
            case Blow.DISK:
                self._fill_disk(True)
                asyncio.get_running_loop().call_later(mishap.amount / 1000, self._fill_disk, False)
            case Blow.CLOCK:
                self._clock_ahead_ns += mishap.amount * NS_PER_MS
                self._tell_world()
            case Blow.STOP:
                if self.process:
                    self._down_s = mishap.amount / 1000
                    self.process.request_stop("the story says so")
            case Blow.RELOAD:
                self._play.apply(self.bot, spread_bps=mishap.amount)
                if self.process:
                    with suppress(BotctlError):
                        self.process.take(self.process.read_applied())

    async def _live(self) -> None:
        self.lives += 1
        world = self._world = self._play.world(f"{self.bot}/{self.lives}")
        self._tell_world()
        self.process = _process(world, self._play.workspace, self.bot)
        life = asyncio.ensure_future(self.process.live())
        death = asyncio.ensure_future(world.crashed.wait())
        await asyncio.wait((life, death), return_when=asyncio.FIRST_COMPLETED)
        was_killed = world.fenced
        world.fence()
        death.cancel()
        life.cancel()
        try:
            await life
        except (asyncio.CancelledError, Crashed):
            pass
        except BotctlError as error:
            if error.exit_code in NOT_RESTARTED:
                self._play.complain(f"{self.bot} does not start again: {error.message}")
        except sqlite3.Error as error:
            if not self._disk_is_full:
                self._play.complain(f"{self.bot} fell over its journal: {error!r}")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            if not was_killed:
                self._play.complain(f"{self.bot} broke: {error!r}")
        else:
            if not was_killed:
                self._play.stopped(self.bot)

    def _fill_disk(self, is_full: bool) -> None:
        self._disk_is_full = is_full
        self._tell_world()

    def _tell_world(self) -> None:
        if self._world:
            self._world.clock_ahead_ns = self._clock_ahead_ns
            self._world.disk_is_full = self._disk_is_full


def _process(world: VirtualWorld, workspace: Workspace, bot: str) -> BotProcess:
    around = Surroundings(
        world=world,
        workspace=workspace,
        secrets=Secrets(workspace, shell={}),
        holder=Holder(pid=os.getpid(), bot=bot, workspace=str(workspace.root), since_ns=0),
        hide=lambda _secrets: None,
    )
    return BotProcess(around, applied_reader(workspace, bot), hold=read_hold(workspace, bot))
