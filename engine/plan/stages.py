"""A rollout as fleets: what is to be true after each wave. Each stage is applied like any other fleet.

So the generation in force always says what every engine should run, also in the middle of a rollout: bots whose
turn has not come stand in it as they were, and a crash restart cannot take settings ahead of their wave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from engine.model.value import Value
from engine.plan.actions import Wave
from engine.plan.desired import Desired, DesiredBot, DesiredSimulator
from engine.plan.observed import Applied
from engine.spec.fingerprint import fingerprint
from engine.spec.types import BotSpec

Shrink = Callable[[BotSpec], BotSpec]
"""A bot at the size that a canary trades with."""


class Stage(Value, frozen=True, kw_only=True):
    """One wave, and the fleet that it makes true."""

    wave: Wave
    desired: Desired


def stages(desired: Desired, applied: Applied | None, waves: Sequence[Wave], shrink: Shrink) -> Iterator[Stage]:
    """The way from what was applied to what is desired; the last stage is exactly that."""
    touched: set[str] = set()
    for wave in waves[:-1]:
        touched |= set(wave.bots)
        fleet = _between(desired, applied, touched)
        yield Stage(wave=wave, desired=_shrunk(fleet, wave, shrink) if wave.canary else fleet)
    yield Stage(wave=waves[-1], desired=desired)


def as_desired(applied: Applied) -> Desired:
    """What was applied, taken as what is wanted."""
    file = f"generation {applied.generation}"
    return Desired(
        fleet=applied.fleet,
        bots={
            name: DesiredBot(spec=spec, fingerprint=applied.fingerprints[name], file=file)
            for name, spec in applied.bots.items()
        },
        simulators={venue: DesiredSimulator(fingerprint=print_) for venue, print_ in applied.simulators.items()},
        without=f"{file} has no such bot",
    )


def _between(desired: Desired, applied: Applied | None, touched: set[str]) -> Desired:
    """The desired fleet as far as its turn has come, around it what was applied; nothing that all share leaves."""
    new = {name: bot for name, bot in desired.bots.items() if name in touched}
    if applied is None:
        return msgspec.structs.replace(desired, bots=new)
    old = as_desired(applied)
    fleet = msgspec.structs.replace(
        desired.fleet,
        accounts={**old.fleet.accounts, **desired.fleet.accounts},
        sims={**old.fleet.sims, **desired.fleet.sims},
    )
    waiting = {name: bot for name, bot in old.bots.items() if name not in touched}
    simulators = {**old.simulators, **desired.simulators}
    return Desired(fleet=fleet, bots={**waiting, **new}, simulators=simulators, without=desired.without)


def _shrunk(fleet: Desired, wave: Wave, shrink: Shrink) -> Desired:
    small = {name: _at_size(bot, shrink) for name, bot in fleet.bots.items() if name in wave.bots}
    return msgspec.structs.replace(fleet, bots={**fleet.bots, **small})


def _at_size(bot: DesiredBot, shrink: Shrink) -> DesiredBot:
    spec = shrink(bot.spec)
    return msgspec.structs.replace(bot, spec=spec, fingerprint=fingerprint(spec))
