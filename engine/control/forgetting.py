"""Puts aside what is remembered of a bot that nobody declares any more: journals, logs, hold, marks.

A journal is the only thing that knows a bot's orders and position, so a bot of which either may be left is Refused
until a person says that he knows. The venue is asked where it can be: what rests there is left, whatever the
journal believes, and what certainly does not is not. The owner tags go back first, files follow one by one, and
every step can be done again: a kill in between is finished by the next `botctl forget`.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from engine.clock import NS_PER_S, iso_utc
from engine.control.audit import recorded
from engine.control.desired import load_in_force
from engine.control.fleet import Fleet
from engine.control.leftovers import at_venue
from engine.control.lock import writer_lock
from engine.errors import BotctlError, Conflict, Refused, StateDamaged, UsageError
from engine.host.files import private_directory
from engine.host.generation import read_current
from engine.host.locks import is_free
from engine.host.workspace import Workspace
from engine.runtime.journal_reader import held_positions, last_dead_after_ns, live_orders
from engine.runtime.memory import is_real
from engine.runtime.retire import retire_bot

FORGET = "forget"
"""The word that `--accept` wants where orders or position may be left."""
SETTLED_NS = 60 * NS_PER_S
"""So long after the last moment at which an order could arrive, the venue's open orders tell of it."""


def remembered(workspace: Workspace, bot: str) -> tuple[Path, ...]:
    """Everything that lies under the bot's name; UsageError when nothing does."""
    marks = [folder / f"{bot}.json" for folder in _marks(workspace)]
    logs = sorted(workspace.logs.glob(f"{bot}.*")) if workspace.logs.is_dir() else []
    found = tuple(path for path in (workspace.journals / bot, *marks, *logs) if path.exists())
    if not found:
        raise UsageError(f"nothing is remembered of {bot}", hint=f"see {workspace.journals}")
    return found


def _marks(workspace: Workspace) -> tuple[Path, ...]:
    return workspace.holds, workspace.finished, workspace.starts, workspace.direct


def forget(
    fleet: Fleet, bot: str, *, accepted: Collection[str] = (), purge: bool = False, why: str = ""
) -> Path | None:
    """Put the bot's things into an archive, or delete them; the archive's folder. Conflict while it is declared,
    applied or running; Refused while orders or position of it may be left."""
    workspace = fleet.workspace
    with writer_lock(workspace, "forget"):
        fleet_id = _require_gone(workspace, bot)
        remembered(workspace, bot)
        left = "; ".join(_left(fleet, bot))
        if left and FORGET not in accepted:
            raise Refused(
                f"{bot} is not forgotten: {left}",
                hint="look at the venue, cancel what rests there; once nothing of it matters: --accept forget",
            )
        with recorded(workspace, "forget", bots=[bot], left=left, purged=int(purge), why=why):
            living = retire_bot(workspace, fleet_id, bot, at_ns=time.time_ns()) if not left else 0
            place = _put_aside(workspace, bot, purge=purge)
            if left or living:  # Without its journals the tags are parted from it for ever.
                retire_bot(workspace, fleet_id, bot, at_ns=time.time_ns())
    return place


def _require_gone(workspace: Workspace, bot: str) -> str:
    """The fleet's id, where the bot is neither declared nor applied nor alive."""
    loaded, generation = load_in_force(workspace), read_current(workspace)
    if loaded.fleet is None or loaded.has_errors:
        raise Conflict("the fleet's files have errors, so nobody knows what they declare", hint="botctl validate")
    if bot in loaded.bots or (generation is not None and bot in generation.bots):
        raise Conflict(
            f"{bot} is declared or applied", hint=f"delete its file and `botctl apply`, then forget {bot}"
        )
    lock = workspace.locks / bot
    if lock.exists() and not is_free(lock):
        raise Conflict(f"{bot} runs", hint="stop it first")
    return loaded.fleet.id


def _left(fleet: Fleet, bot: str) -> Iterator[str]:
    """What is not known to be gone. Simulated accounts do not count: theirs is play money."""
    for journal in sorted((fleet.workspace.journals / bot).glob("*.sqlite")):
        if not is_real(journal):
            continue
        try:
            yield from _orders_left(fleet, bot, journal)
            yield from (f"it holds {size} on {market}" for market, size in held_positions(journal).items())
        except StateDamaged as error:
            yield f"whether anything of it is left cannot be told: {error.message}"


def _orders_left(fleet: Fleet, bot: str, journal: Path) -> Iterator[str]:
    """By the venue's word where it gives it; else by the journal's, and it is said that nobody was asked."""
    living, dead_ns = live_orders(journal), last_dead_after_ns(journal) + SETTLED_NS
    try:
        seen = at_venue(fleet.workspace, bot, journal)
    except BotctlError as error:
        if living:
            yield f"{living} of its orders may still rest, and the venue could not be asked: {error.message}"
        else:
            fleet.progress(f"the venue could not be asked ({error.message}); by its journal no order of it is left")
        return
    if seen.resting:
        yield f"{seen.resting} of its orders rest at the venue now"
    elif living and time.time_ns() < dead_ns:
        yield f"{living} of its orders do not rest at the venue, and may still arrive there"
    elif living:  # They are gone, and whether they were filled only the position there can tell.
        yield from (f"the venue has a position of {size} on {market}" for market, size in seen.positions.items())


def _put_aside(workspace: Workspace, bot: str, *, purge: bool) -> Path | None:
    things = remembered(workspace, bot)
    if purge:
        for thing in things:
            shutil.rmtree(thing) if thing.is_dir() else thing.unlink()
        return None
    stamp = iso_utc(time.time_ns()).replace(":", "-")
    place = private_directory(private_directory(workspace.archive) / f"{bot} {stamp}")
    for thing in things:
        thing.rename(place / f"{thing.parent.name} {thing.name}")
    return place
