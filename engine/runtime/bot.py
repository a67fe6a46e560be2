"""One running bot: events in, steps taken, records committed, commands sent. `startup` puts it together.

The order of a step is the whole of law 4: the machine decides, the journal takes the records, and only then do
the commands leave. When the journal does not take them, nothing leaves and the bot fails.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from engine.clock import NS_PER_MS, NS_PER_S, iso_utc
from engine.errors import BotctlError, Conflict
from engine.model.account import Stake
from engine.model.commands import Command, operation_of
from engine.model.events import BookUpdated, Event, TimePassed
from engine.model.instrument import Instrument, plain
from engine.runtime.journal import Journal, checkpoint
from engine.spec.types import BotSpec, BudgetSpec
from engine.trading.budgets import Need
from engine.trading.machine import Machine
from engine.trading.records import Budget, FillRecord, FundingRecord, Note, Record, Step
from engine.trading.statistics import MachineStatistics
from engine.trading.status import MachineStatus
from engine.transport.world import World

log = logging.getLogger(__name__)

STEADY_NS = NS_PER_S
"""The machine hears of time at least this often."""
SOONEST_NS = 10 * NS_PER_MS
"""A wake that cannot be served, for want of budget, must not spin."""
CHECKPOINT_S = 60.0
WHOLE_BOT = ""
"""The leg of events that concern all legs."""


class Line(Protocol):
    """What a bot needs of a session: a way out for commands, and how much of it is free. `wait_turn` asks for a
    TimePassed as soon as the budget has room for changes again."""

    def send(self, *commands: Command) -> None: ...

    def budget(self) -> Budget: ...

    def wait_turn(self) -> None: ...


class Bot:
    """The machine and everything around it that is not a socket. `lines` are the sessions by leg, put in later."""

    def __init__(
        self, world: World, machine: Machine, journal: Journal, instruments: Mapping[str, Instrument]
    ) -> None:
        self.lines: Mapping[str, Line] = {}
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._world = world
        self._machine = machine
        self._journal = journal
        self.instruments = instruments
        self._stepped = asyncio.Event()
        self._inbox: deque[Event] = deque()
        self._is_stepping = False
        self._timer: asyncio.Task[None] | None = None
        self._due_ns = 0

    @property
    def is_stopped(self) -> bool:
        return self._machine.is_stopped

    @property
    def is_synced(self) -> bool:
        return self._machine.is_synced

    @property
    def status(self) -> MachineStatus:
        return self._machine.status()

    @property
    def statistics(self) -> MachineStatistics:
        return self._machine.statistics()

    @property
    def stakes(self) -> dict[str, Stake]:
        """What the bot has at stake by leg; reckoned anew whenever it is asked."""
        return self._machine.stakes(self._world.now_ns())

    @property
    def budgets(self) -> Mapping[str, BudgetSpec]:
        """Limits that the bot shares with others, by name."""
        return self._machine.budgets.specs

    def budget_needs(self) -> Mapping[str, Need] | None:
        """What the bot has of them and would like to have; None while that is unknown."""
        return self._machine.budgets.needs()

    @property
    def day_pnl(self) -> tuple[int, Decimal]:
        """The day that is followed, and what the bot made of it when that was known last."""
        return self._machine.watch.day_pnl

    @property
    def trip(self) -> str:
        """Why the bot took itself out of trade; empty while it did not."""
        return self._machine.watch.trip

    @property
    def trip_is_held(self) -> bool:
        """Whether the trip is known to have become a hold."""
        return self._machine.watch.is_held

    @property
    def trip_is_over(self) -> bool:
        """Whether the tripped bot has come to rest as declared."""
        return self._machine.watch.is_over

    @property
    def live_orders(self) -> int:
        """How many own orders may still rest or fill."""
        return self._journal.live_orders()

    def handle(self, event: Event) -> None:
        """Take an event. One that arrives while a step is being carried out waits for its turn."""
        self._inbox.append(event)
        if self._is_stepping:
            return
        self._is_stepping = True
        try:
            while self._inbox and not self.failed.done():
                event = self._inbox.popleft()
                step = self._machine.step(event, self._budgets())
                self._carry_out(step)
                self._time_sending(event, step.commands)
        except Exception as error:  # Whoever delivered the event lives on; a bot whose step broke must not.
            self.failed.set_exception(error)
            log.exception("the step failed")
        finally:
            self._is_stepping = False

    def reconfigure(self, spec: BotSpec) -> None:
        """Change what may change in place; the step it leads to is carried out before this returns.

        ConfigInvalid leaves everything as it was. Conflict when the bot has failed: it sends nothing any more but
        its last cancels.
        """
        if self.failed.done():
            raise Conflict("the bot has failed, and its process is about to end", hint="try again once it is back")
        step = self._machine.reconfigure(spec, self._world.now_ns(), self._budgets())
        try:
            self._carry_out(step)
        except BotctlError as error:
            if not self.failed.done():
                self.failed.set_exception(error)
            raise

    async def cancel_blindly(self) -> None:
        """Ask for the end of every order that may rest, past the machine and the journal, which failed. A cancel
        needs no memory: the next life finds out what became of each order."""
        commands = self._machine.last_cancels()
        log.error("cancelling before the end", extra={"facts": {"orders": len(commands)}})
        for command in commands:
            line = self.lines[command.leg]
            while line.budget().changes < 1:
                await self._world.sleep(SOONEST_NS / NS_PER_S)
            line.send(command)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a step has made the condition true."""
        while not condition():
            self._stepped.clear()
            await self._stepped.wait()

    async def keep_house(self) -> None:
        """Fold the journal's log into its file at once, and now and then, beside the loop: short lives alone would
        let it grow until the disk is full. What cannot be folded now can be later; a disk that takes nothing at
        all is for `commit` to find."""
        while True:
            try:
                await self._world.in_thread(lambda: checkpoint(self._world, self._journal.path))
            except BotctlError as error:
                log.warning("journal not folded", extra={"facts": {"why": error.message}})
            await self._world.sleep(CHECKPOINT_S)

    def tell_time(self) -> None:
        """Begin the steady beat."""
        self.handle(TimePassed(at_ns=self._world.now_ns(), leg=WHOLE_BOT))

    def close(self) -> None:
        """Take no more steps and let go of the journal."""
        if self._timer:
            self._timer.cancel()
        if not self.failed.done():
            self.failed.cancel()
        self._journal.close()

    def _carry_out(self, step: Step) -> None:
        self._journal.commit(step.records)
        self._send(step.commands)
        for leg in step.waiting:
            self.lines[leg].wait_turn()
        self._tell(step.records)
        self._wake_by(step.wake_ns)
        self._stepped.set()

    def _send(self, commands: Sequence[Command]) -> None:
        """A leg's commands at once: its session may put several into one request."""
        for leg, of_leg in groupby(commands, key=attrgetter("leg")):
            self.lines[leg].send(*of_leg)

    def _time_sending(self, event: Event, commands: Sequence[Command]) -> None:
        """How long a change of the book took to become orders; read after they have left, so it delays none."""
        if isinstance(event, BookUpdated) and any(operation_of(command) for command in commands):
            self._machine.sent(event.leg, self._world.now_ns() - event.at_ns)

    def _tell(self, records: tuple[Record, ...]) -> None:
        """What people look for in a log: every decision that was noted, every fill and payment."""
        for record in records:
            if isinstance(record, Note):
                level = logging.ERROR if record.alarm else logging.INFO
                log.log(level, record.what, extra={"facts": {"leg": record.leg, **record.facts}})
            elif isinstance(record, FillRecord):
                facts = _of_fill(record, self.instruments[record.leg])
                log.info("order filled", extra={"facts": facts})
            elif isinstance(record, FundingRecord):
                log.info("funding counted", extra={"facts": _of_funding(record)})

    def _budgets(self) -> dict[str, Budget]:
        return {leg: line.budget() for leg, line in self.lines.items()}

    def _wake_by(self, wake_ns: int | None) -> None:
        """Make sure time is told by then; an earlier timer may stand, because it leads here again."""
        now_ns = self._world.now_ns()
        due_ns = now_ns + STEADY_NS
        if wake_ns is not None:
            due_ns = min(due_ns, max(wake_ns, now_ns + SOONEST_NS))
        if self._timer and self._due_ns <= due_ns:
            return
        if self._timer:
            self._timer.cancel()
        self._due_ns = due_ns
        self._timer = asyncio.create_task(self._wait((due_ns - now_ns) / NS_PER_S))

    async def _wait(self, delay_s: float) -> None:
        await self._world.sleep(delay_s)
        self._timer = None
        self.tell_time()


def _of_fill(record: FillRecord, instrument: Instrument) -> dict[str, str | int | None]:
    fill = record.fill
    return {
        "leg": record.leg,
        "slot": record.slot,
        "side": fill.side,
        "price": instrument.price_text(fill.ticks),
        "size": instrument.size_text(fill.lots),
        "order": fill.client_id,
        "trade": fill.trade_id,
    }


def _of_funding(record: FundingRecord) -> dict[str, str]:
    """`received` is less than nothing for what was paid; `own` is the bot's part of it."""
    payment = record.payment
    return {
        "leg": record.leg,
        "received": plain(payment.amount),
        "own": plain(record.own),
        "at": iso_utc(payment.at_ns),
        "payment": payment.payment_id,
    }
