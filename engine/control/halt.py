"""The kill switch: holds first, then every bot's process ends, then its orders are cancelled from here.

Nothing here needs a supervisor, an engine or the right to change the fleet (an apply may be running): engines read
their hold before they connect, and what rests is cancelled in this process, over connections of its own.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from engine.control.audit import note
from engine.control.fleet import Fleet, caller
from engine.control.lifecycle import applied_names
from engine.errors import BotctlError, Conflict, VenueError
from engine.host.control_client import call
from engine.host.direct import direct_bots, drop_direct, read_direct
from engine.host.files import private_directory
from engine.host.generation import AppliedBot, read_current_bot, read_current_fleet
from engine.host.holders import await_release, kill_holder, verified_holder
from engine.host.holds import Hold, HoldKind, place_hold
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.model.value import Value
from engine.runtime.here import surroundings
from engine.runtime.logs import JsonLines, start_log
from engine.runtime.proxies import proxy_of
from engine.runtime.sites import find_sites, market_locks
from engine.runtime.windup import WindUp
from engine.spec.types import StopPolicy
from engine.trading.status import LegStatus
from engine.transport.live import LiveWorld

log = logging.getLogger(__name__)

ASK_S = 1.0
"""An engine that works answers its socket at once; one that does not is killed."""
STOPPING_S = 5.0
"""For an engine that has agreed to stop: it knows its orders and is connected, so it is the fastest to cancel."""
PASSING_S = 15.0
"""For another command that is already winding the bot up."""
AT_ONCE = 32
"""Bots wound up at the same time; the others wait for their turn."""
RETRY_S = 1.0
PROGRESS_S = 5.0
LINES_MAX = 10


class Halted(Value, frozen=True, kw_only=True):
    """What became of one bot. `pending` is empty once nothing of it rests (and, if asked for, it is flat)."""

    name: str
    pending: str
    took_s: float
    positions: dict[str, str]
    """By market, signed, in base; of a bot with several legs, which may be of one name, by market and leg."""


@dataclass(kw_only=True)
class Halting:
    """One run of the command. `flatten` also takes own positions out of the market."""

    fleet: Fleet
    flatten: bool
    timeout_s: float
    why: str
    handler: JsonLines
    began: float = field(default_factory=time.monotonic)
    waiting: dict[str, str] = field(default_factory=dict)
    """Bots that are not done, and what each waits for."""
    unheld: dict[str, str] = field(default_factory=dict)
    """Bots whose hold the disk did not take, and why."""

    @property
    def took_s(self) -> float:
        return round(time.monotonic() - self.began, 2)

    @property
    def left_s(self) -> float:
        return max(0.0, self.timeout_s - self.took_s)


def halt(fleet: Fleet, names: Sequence[str], *, flatten: bool, timeout_s: float, why: str) -> tuple[Halted, ...]:
    """Hold the bots, end their processes, cancel their orders; what is not done in time is told as pending."""
    known = _known(fleet, names)
    fleet.workspace.prepare()
    handler = JsonLines(private_directory(fleet.workspace.logs) / "halt.jsonl", beside=lambda work: work())
    run = Halting(fleet=fleet, flatten=flatten, timeout_s=timeout_s, why=why, handler=handler)
    _hold(run, known)
    note(fleet.workspace, "halt", result="begun", why=why, bots=list(known), flatten=int(flatten))
    start_log(handler, "info")
    try:
        done = asyncio.run(_all(run, known))
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    pending = [bot.name for bot in done if bot.pending]
    note(fleet.workspace, "halt", result="pending" if pending else "done", bots=list(known), pending=pending)
    return done


def _known(fleet: Fleet, names: Sequence[str]) -> tuple[str, ...]:
    """The applied bots that are meant, and those that somebody runs in the foreground; of these, by name alone."""
    direct = direct_bots(fleet.workspace)
    others = [name for name in names if name not in direct]
    meant = [name for name in direct if not names or name in names]
    is_all_direct = not others and (names or read_current_fleet(fleet.workspace) is None)
    applied = () if meant and is_all_direct else applied_names(fleet, others)
    return tuple(sorted({*applied, *meant}))


def _hold(run: Halting, names: Sequence[str]) -> None:
    """Latch every hold. A disk that is full takes none, and is no reason to let the bots trade."""
    for name in names:
        hold = Hold(bot=name, kind=HoldKind.HALT, who=caller(), since_ns=time.time_ns(), why=run.why)
        try:
            place_hold(run.fleet.workspace, hold)
        except OSError as error:
            run.unheld[name] = f"it is not held ({error.strerror}): free disk space, then halt it again"
    run.fleet.progress(f"held: {', '.join(name for name in names if name not in run.unheld) or 'none'}")


async def _all(run: Halting, names: Sequence[str]) -> tuple[Halted, ...]:
    turn = asyncio.Semaphore(AT_ONCE)
    run.waiting |= dict.fromkeys(names, "its turn has not come")
    telling = asyncio.create_task(_tell(run))
    try:
        return tuple(await asyncio.gather(*(_in_turn(run, name, turn) for name in names)))
    finally:
        telling.cancel()


async def _tell(run: Halting) -> None:
    while True:
        await asyncio.sleep(PROGRESS_S)
        for name, words in sorted(run.waiting.items())[:LINES_MAX]:
            run.fleet.progress(f"{name} pending after {run.took_s:.0f} s: {words}")
        if (more := len(run.waiting) - LINES_MAX) > 0:
            run.fleet.progress(f"and {more} more pending")


async def _in_turn(run: Halting, name: str, turn: asyncio.Semaphore) -> Halted:
    """One bot; whatever is wrong with it holds up no other."""
    legs: Mapping[str, LegStatus] = {}
    async with turn:
        try:
            applied = _applied(run.fleet.workspace, name)
            await asyncio.to_thread(_end_process, run, applied)
            legs = await _wind_up(run, applied)
            drop_direct(run.fleet.workspace, name)
            pending = ""
        except TimeoutError:
            pending = run.waiting[name]
        except BotctlError as error:
            pending = error.message
        except Exception as error:  # The outer edge of one bot: a mistake here must not leave the others trading.
            log.exception("halting a bot failed", extra={"facts": {"bot": name}})
            pending = f"{type(error).__name__}: {error}"
    del run.waiting[name]
    pending = "; ".join(filter(None, (pending, run.unheld.get(name))))
    words = f"not done: {pending}" if pending else f"done after {run.took_s:g} s"
    run.fleet.progress(f"{name} {words}")
    return Halted(name=name, pending=pending, took_s=run.took_s, positions=_positions(legs))


def _positions(legs: Mapping[str, LegStatus]) -> dict[str, str]:
    alone = len(legs) == 1
    return {leg.market if alone else f"{leg.market} ({name})": f"{leg.position:f}" for name, leg in legs.items()}


def _end_process(run: Halting, applied: AppliedBot) -> None:
    """Whoever holds the bot's lock, or as this bot one of its markets' locks."""
    workspace, name = run.fleet.workspace, applied.spec.name
    _end_holder(run, name, private_directory(workspace.locks) / name)
    try:
        sites = find_sites(workspace, applied.spec, fleet_id=applied.fleet.id, secrets=_secrets(workspace))
    except BotctlError:  # Winding up asks the same, and tells.
        return
    for lock in market_locks(sites):
        holder = verified_holder(lock)
        if holder and holder.bot == name and Path(holder.workspace).resolve() == workspace.root.resolve():
            _end_holder(run, name, lock)


def _end_holder(run: Halting, name: str, lock: Path) -> None:
    """Ask the process to stop where it answers, kill it where it does not."""
    holder = verified_holder(lock)
    if holder is None:
        return
    run.waiting[name] = f"process {holder.pid} is ending"
    if not await_release(lock, PASSING_S if holder.passing else _patience_s(run, name)):
        run.fleet.progress(f"{name}: killing process {holder.pid}, which does not stop")
        kill_holder(lock)


def _patience_s(run: Halting, name: str) -> float:
    request = {"why": run.why, "keep_position": True}
    try:
        call(run.fleet.workspace.control_socket(name), "stop", request, timeout_s=ASK_S)
    except BotctlError:
        return 0.0
    return STOPPING_S


def _applied(workspace: Workspace, name: str) -> AppliedBot:
    applied = read_current_bot(workspace, name) or read_direct(workspace, name)
    if applied is None:
        raise Conflict(f"{name} is not in the applied generation any more")
    return applied


def _secrets(workspace: Workspace) -> Secrets:
    return Secrets(workspace, shell=os.environ, shell_allowed=True)


async def _wind_up(run: Halting, applied: AppliedBot) -> Mapping[str, LegStatus]:
    """Until it is done or time is up; a venue that is out of reach is asked again."""
    async with asyncio.timeout(run.left_s):
        while True:
            try:
                return await _attempt(run, applied)
            except VenueError as error:
                run.waiting[applied.spec.name] = error.message
            await asyncio.sleep(RETRY_S)


async def _attempt(run: Halting, applied: AppliedBot) -> Mapping[str, LegStatus]:
    workspace, name = run.fleet.workspace, applied.spec.name
    secrets = _secrets(workspace)
    world = LiveWorld(proxy_of(applied.spec, secrets, hide=run.handler.hide))
    around = surroundings(world, workspace, secrets, name, run.handler.hide, passing=True)
    work = WindUp(around, applied, StopPolicy.FLATTEN if run.flatten else StopPolicy.KEEP)
    watching = asyncio.create_task(_watch(run, name, work))
    try:
        return await work.run()
    finally:
        watching.cancel()
        await world.close()


async def _watch(run: Halting, name: str, work: WindUp) -> None:
    """Keep what is said about the bot true, also for the moment in which time is up."""
    while True:
        with suppress(BotctlError):  # The attempt itself tells what is wrong.
            run.waiting[name] = work.pending()
        await asyncio.sleep(RETRY_S)
