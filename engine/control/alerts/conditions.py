"""What of a fleet a person should hear about, decided from one look at it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from engine.control.alerts.ledger import Condition
from engine.control.metrics.snapshot import Snapshot
from engine.control.status import BotStatus
from engine.plan.observed import Leg

BLIND = "look"


def conditions(snapshot: Snapshot) -> Iterator[Condition]:
    """Everything that is wrong now."""
    if not snapshot.supervisor_answers:
        yield Condition("supervisor", "the process supervisor does not answer")
    for name, is_up in snapshot.companions.items():
        if not is_up:
            yield Condition(f"companion/{name}", f"{name} does not run")
    for name, why in snapshot.trips.items():
        yield Condition(f"trip/{name}", f"{name} tripped: {why}", is_urgent=True)
    for bot in snapshot.statuses:
        yield from _of_bot(bot)


def blind(why: str) -> Condition:
    """The fleet could not be looked at, so of everything else nothing is known."""
    return Condition(BLIND, f"nobody can tell how the fleet stands: {why}")


def _of_bot(bot: BotStatus) -> Iterator[Condition]:
    if bot.hedge and bot.hedge.alarm:
        yield Condition(f"hedge/{bot.name}", f"{bot.name} is not hedged: {bot.hedge.alarm}", is_urgent=True)
    elif not bot.is_calm:
        yield Condition(f"bot/{bot.name}", f"{bot.name} is {bot.state}" + (f": {bot.why}" if bot.why else ""))
    for name, leg in bot.legs.items():
        yield from _of_leg(bot.name, name, leg)


def _of_leg(bot: str, name: str, leg: Leg) -> Iterator[Condition]:
    place = f"{leg.market} of {leg.account} on {leg.venue}"
    if leg.unresolved:
        text = f"{bot} does not know what became of orders on {place} ({leg.unresolved})"
        yield Condition(f"unresolved/{bot}/{name}", text)
    if Decimal(leg.unexplained):
        text = f"{leg.unexplained} of the position in {place} is nobody's: botctl drift"
        yield Condition(f"unexplained/{bot}/{name}", text)
