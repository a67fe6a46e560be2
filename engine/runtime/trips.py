"""Makes a tripped bot a held one. The journal has the trip already, with the step that found it; here it becomes a
hold, for plans and people to see, and the process ends once the bot has come to rest as declared.

A crash at any point of this changes nothing: the journal is asked first, and who remembers a trip does not trade.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from engine.errors import Unavailable
from engine.host.holds import Hold, HoldKind, place_hold
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.model.events import Resumed, TripHeld
from engine.risk.stops import Stops
from engine.runtime.bot import WHOLE_BOT, Bot
from engine.runtime.journal import stops_key
from engine.runtime.journal_reader import live_orders
from engine.runtime.memory import known_journal
from engine.runtime.sites import find_sites
from engine.spec.types import BotSpec
from engine.transport.world import World

log = logging.getLogger(__name__)

GUARD = "the risk guard"
RETRY_S = 1.0


def begin_held(bot: Bot, hold: Hold | None, now_ns: int) -> None:
    """Tell a bot that has just been put together what holds say. A trip that was held and is not any more was
    resumed while no process ran."""
    if hold is not None and hold.kind is HoldKind.TRIP:
        bot.handle(TripHeld(at_ns=now_ns, leg=WHOLE_BOT, why=hold.why))
    elif bot.trip and bot.trip_is_held:
        bot.handle(Resumed(at_ns=now_ns, leg=WHOLE_BOT, who="whoever lifted the hold"))


async def obey_trips(world: World, workspace: Workspace, name: str, bot: Bot) -> str:
    """Wait for a trip, hold the bot, and wait until it has come to rest. Why it tripped; resumed meanwhile, it
    waits for the next one."""
    while True:
        await bot.until(lambda: bool(bot.trip))
        if not bot.trip_is_held:
            await _hold(world, workspace, name, bot)
        await bot.until(lambda: bot.trip_is_over or not bot.trip)
        if bot.trip:
            return bot.trip


def is_trip_over(workspace: Workspace, spec: BotSpec, *, fleet_id: str, secrets: Secrets) -> bool:
    """Whether a bot under a trip's hold has nothing left to do: its journal says that it came to rest."""
    try:
        sites = find_sites(workspace, spec, fleet_id=fleet_id, secrets=secrets)
    except Unavailable:
        return True
    file = known_journal(workspace, spec.name, sites)
    if file is None:
        return True
    stops = _read_stops(file, {name: leg.market for name, leg in spec.legs.items()})
    return live_orders(file) == 0 and (stops is None or not stops.trip or stops.is_over)


async def _hold(world: World, workspace: Workspace, name: str, bot: Bot) -> None:
    """A disk that does not take it is tried again: until then the journal alone keeps the bot from trading."""
    hold = Hold(bot=name, kind=HoldKind.TRIP, who=GUARD, since_ns=world.now_ns(), why=bot.trip)
    while bot.trip and not bot.trip_is_held:
        try:
            place_hold(workspace, hold)
        except OSError as error:
            log.error("the hold of a trip cannot be written", extra={"facts": {"why": str(error)}})
            await world.sleep(RETRY_S)
        else:
            log.error("tripped and held", extra={"facts": {"why": hold.why}})
            bot.handle(TripHeld(at_ns=world.now_ns(), leg=WHOLE_BOT, why=hold.why))


def _read_stops(file: Path, markets: dict[str, str]) -> Stops | None:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as reader:
        row = reader.execute("SELECT value FROM meta WHERE key = ?", (stops_key(markets),)).fetchone()
    return msgspec.json.decode(row[0], type=Stops) if row else None
