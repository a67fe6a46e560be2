"""The step loop alone, in virtual time: a scripted machine, a real journal, lines that only remember."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.clock import NS_PER_MS, NS_PER_S
from engine.errors import BotctlError, Conflict
from engine.model.commands import Command, QueryOpenOrders
from engine.model.events import BookLost, Event, TimePassed
from engine.model.ids import ClientIdScheme
from engine.runtime.bot import Bot
from engine.runtime.journal import Journal, JournalLeg, JournalOwner, open_journal
from engine.runtime.stopping import stop_trading
from engine.sim.network import VirtualNetwork
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import VirtualWorld
from engine.trading.records import Budget, Step
from engine.trading.status import MachineStatus
from tests.fleets import bot_spec
from tests.runtime.test_journal import order

ASK = QueryOpenOrders(leg="main")


class ScriptedMachine:
    """Answers every event with whatever the test says; knows nothing else."""

    def __init__(self) -> None:
        self.heard: list[Event] = []
        self.budgets: list[Mapping[str, Budget]] = []
        self.answer: Callable[[Event], Step] = lambda _event: Step()
        self.is_stopped = False

    def step(self, event: Event, budgets: Mapping[str, Budget]) -> Step:
        self.heard.append(event)
        self.budgets.append(budgets)
        return self.answer(event)

    def status(self) -> MachineStatus:
        return MachineStatus(paused=False, stopping=True, legs={})


class RememberingLine:
    def __init__(self, spare: int = 9) -> None:
        self.sent: list[Command] = []
        self.then: Callable[[], None] = lambda: None
        self.waits = False
        self._spare = spare

    def send(self, *commands: Command) -> None:
        for command in commands:
            self.sent.append(command)
            self.then()

    def budget(self) -> Budget:
        return Budget(reduce=self._spare, cancel=self._spare, place=self._spare)

    def wait_turn(self) -> None:
        self.waits = True


class Stage:
    def __init__(self, directory: Path) -> None:
        self.loop = VirtualLoop()
        self.world = VirtualWorld(VirtualNetwork(self.loop, {}, seed=1), seed=1)
        self.machine = ScriptedMachine()
        self.line = RememberingLine()
        self.directory = directory

    def run(self, scene: Callable[[Bot], Coroutine[Any, Any, None]]) -> None:
        async def play() -> None:
            bot = Bot(self.world, self.machine, self.journal(), {})  # type: ignore[arg-type] # scripted machine
            bot.lines = {"main": self.line}
            await scene(bot)
            bot.close()

        self.loop.run_until_complete(play())
        self.loop.close()

    def journal(self) -> Journal:
        owner = JournalOwner(fleet_id="fleet", bot="maker", identity="one")
        scheme = ClientIdScheme(tag_bits=8, sequence_bits=24)
        legs = {"main": JournalLeg(market="SOL_USDC", client_ids=scheme)}
        journal = open_journal(self.world, self.directory / "j" / "journal.sqlite", owner, legs)
        journal.claim("main", 7, 0)
        return journal

    @property
    def beats_ns(self) -> list[int]:
        """When time was told, from the start of the play."""
        start_ns = self.world.now_ns() - self.world.monotonic_ns()
        return [event.at_ns - start_ns for event in self.machine.heard if isinstance(event, TimePassed)]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def lost(reason: str) -> BookLost:
    return BookLost(at_ns=0, leg="main", reason=reason)


def test_records_are_committed_before_commands_leave(stage: Stage) -> None:
    async def scene(bot: Bot) -> None:
        committed: list[int] = []
        stage.machine.answer = lambda _event: Step(commands=(ASK,), records=(order(0),))
        stage.line.then = lambda: committed.append(bot.live_orders)
        bot.handle(lost("x"))
        assert committed == [1]

    stage.run(scene)


def test_when_the_journal_takes_nothing_nothing_leaves_and_the_bot_has_failed(stage: Stage) -> None:
    async def scene(bot: Bot) -> None:
        stage.machine.answer = lambda _event: Step(commands=(ASK,), records=(order(0),))
        bot._journal._connection.execute("PRAGMA query_only = 1")
        bot.handle(lost("x"))
        bot.handle(lost("y"))
        assert stage.line.sent == []
        assert stage.machine.heard == [lost("x")], "a failed bot takes no more steps"
        with pytest.raises(BotctlError, match="the journal cannot be written"):
            await bot.failed

    stage.run(scene)


def test_a_bot_that_has_failed_takes_no_other_settings(stage: Stage) -> None:
    """They would lead to orders, behind the cancels that are its last word."""

    async def scene(bot: Bot) -> None:
        bot.failed.set_exception(BotctlError("the disk is full"))
        with pytest.raises(Conflict, match="has failed"):
            bot.reconfigure(bot_spec("maker"))
        with pytest.raises(BotctlError, match="the disk is full"):
            await bot.failed

    stage.run(scene)


def test_a_step_that_breaks_ends_the_bot_instead_of_leaving_it_half_alive(stage: Stage) -> None:
    async def scene(bot: Bot) -> None:
        def stumble(_event: Event) -> Step:
            raise ZeroDivisionError("a mistake")

        bot.tell_time()
        stage.machine.answer = stumble
        with pytest.raises(ZeroDivisionError):
            await bot.failed
        stage.machine.answer = lambda _event: Step(commands=(ASK,))
        bot.handle(lost("late"))
        assert stage.line.sent == []

    stage.run(scene)


def test_an_event_that_arrives_within_a_step_waits_for_its_turn(stage: Stage) -> None:
    async def scene(bot: Bot) -> None:
        stage.machine.answer = lambda event: Step(commands=(ASK, ASK)) if event == lost("first") else Step()
        stage.line.then = lambda: bot.handle(lost(f"after {len(stage.line.sent)}"))
        bot.handle(lost("first"))
        assert stage.machine.heard == [lost("first"), lost("after 1"), lost("after 2")]

    stage.run(scene)


def test_time_is_told_steadily_when_nothing_happens(stage: Stage) -> None:
    async def scene(bot: Bot) -> None:
        bot.tell_time()
        await asyncio.sleep(3.5)
        assert stage.beats_ns == [0, NS_PER_S, 2 * NS_PER_S, 3 * NS_PER_S]

    stage.run(scene)


def test_time_is_told_when_the_machine_wants_to_wake(stage: Stage) -> None:
    async def scene(bot: Bot) -> None:
        wake_ns = stage.world.now_ns() + 1250 * NS_PER_MS
        stage.machine.answer = lambda event: Step(wake_ns=wake_ns if event.at_ns < wake_ns else None)
        bot.tell_time()
        await asyncio.sleep(1.3)
        assert stage.beats_ns == [0, NS_PER_S, 1250 * NS_PER_MS]

    stage.run(scene)


def test_an_earlier_wake_replaces_a_later_one(stage: Stage) -> None:
    async def scene(bot: Bot) -> None:
        bot.tell_time()
        stage.machine.answer = lambda event: Step(
            wake_ns=stage.world.now_ns() + 100 * NS_PER_MS if event == lost("x") else None
        )
        bot.handle(lost("x"))
        await asyncio.sleep(0.2)
        assert stage.beats_ns == [0, 100 * NS_PER_MS]

    stage.run(scene)


def test_a_wake_that_lies_in_the_past_for_ever_does_not_spin(stage: Stage) -> None:
    async def scene(bot: Bot) -> None:
        stage.machine.answer = lambda _event: Step(wake_ns=0)
        bot.tell_time()
        await asyncio.sleep(1)
        assert len(stage.machine.heard) <= 101

    stage.run(scene)


def test_a_leg_that_has_to_wait_for_room_asks_its_line_to_tell(stage: Stage) -> None:
    async def scene(bot: Bot) -> None:
        maker, hedge = RememberingLine(), RememberingLine()
        bot.lines = {"maker": maker, "hedge": hedge}
        stage.machine.answer = lambda _event: Step(waiting=("hedge",))
        bot.tell_time()
        assert hedge.waits and not maker.waits

    stage.run(scene)


def test_a_step_is_told_what_each_leg_can_afford(stage: Stage) -> None:
    async def scene(bot: Bot) -> None:
        bot.lines = {"maker": RememberingLine(5), "hedge": RememberingLine(2)}
        bot.handle(lost("x"))
        afforded = {"maker": Budget(reduce=5, cancel=5, place=5), "hedge": Budget(reduce=2, cancel=2, place=2)}
        assert stage.machine.budgets == [afforded]

    stage.run(scene)


def test_stopping_ends_as_soon_as_nothing_of_ours_can_rest(stage: Stage) -> None:
    async def scene(bot: Bot) -> None:
        async def cancelled() -> None:
            await asyncio.sleep(2)
            stage.machine.is_stopped = True
            bot.handle(lost("x"))

        cancelling = asyncio.ensure_future(cancelled())
        await stop_trading(stage.world, bot, why="test", timeout_s=10)
        assert stage.world.monotonic_ns() == 2 * NS_PER_S
        await cancelling

    stage.run(scene)


def test_a_stop_that_is_not_confirmed_in_time_says_what_may_still_live(stage: Stage) -> None:
    async def scene(bot: Bot) -> None:
        stage.machine.answer = lambda event: Step(records=(order(0),)) if isinstance(event, BookLost) else Step()
        bot.handle(lost("x"))
        with pytest.raises(BotctlError, match="not stopped within 10 s; 1 orders may still live"):
            await stop_trading(stage.world, bot, why="test", timeout_s=10)

    stage.run(scene)
