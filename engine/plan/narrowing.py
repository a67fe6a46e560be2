"""A plan for some of the bots: what they should be, beside what all the others were applied as.

A generation is always the whole fleet, and engines read nothing else. So a bot that was not selected must stand in
the next generation as it stands in this one: its edits wait, and no crash restart can pick them up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from engine.errors import Conflict
from engine.plan.desired import Desired, DesiredBot, DesiredSimulator
from engine.plan.observed import Applied, Engine, Observed, Unknown
from engine.spec.types import BASE, AccountSpec, BotSpec


def everybody(desired: Desired, observed: Observed) -> dict[str, tuple[BotSpec, ...]]:
    """Every bot that is declared, was applied, or runs though nobody says so; with all of its meanings."""
    declared = {name: bot.spec for name, bot in desired.bots.items()}
    applied = observed.applied.bots if observed.applied else {}
    engines = observed.engines.items()
    running = {name: engine.spec for name, engine in engines if isinstance(engine, Engine) and engine.spec}
    processes = {} if isinstance(observed.processes, Unknown) else observed.processes
    names = sorted({*declared, *applied, *observed.engines, *processes})
    sources = (declared, applied, running)
    return {name: tuple(specs[name] for specs in sources if name in specs) for name in names}


def narrowed(desired: Desired, applied: Applied | None, names: Collection[str]) -> Desired:
    """The declaration for these bots alone. Conflict when they need something of fleet.yaml that all bots share
    and that was not applied yet."""
    chosen = {name: bot for name, bot in desired.bots.items() if name in names}
    if applied is None:
        return msgspec.structs.replace(desired, bots=chosen)
    if desired.fleet.env != applied.fleet.env:
        raise Conflict(
            f"environment {desired.fleet.env or BASE} is planned, and {applied.fleet.env or BASE} is in force",
            hint="plan and apply the whole fleet, without selectors",
        )
    _require_known_accounts(chosen, applied.fleet.accounts)
    kept = {name: _kept(name, applied, desired) for name in applied.bots if name not in names}
    simulators = {venue: DesiredSimulator(fingerprint=print_) for venue, print_ in applied.simulators.items()}
    fleet = msgspec.structs.replace(applied.fleet, policy=desired.fleet.policy)
    return Desired(
        fleet=fleet, bots={**kept, **chosen}, simulators=simulators, rules=desired.rules, without=desired.without
    )


def _kept(name: str, applied: Applied, desired: Desired) -> DesiredBot:
    declared, spec = desired.bots.get(name), applied.bots[name]
    if declared is not None and declared.spec == spec:
        return declared
    file = f"generation {applied.generation}"
    return DesiredBot(spec=spec, fingerprint=applied.fingerprints[name], file=file)


def _require_known_accounts(chosen: Mapping[str, DesiredBot], known: Mapping[str, AccountSpec]) -> None:
    changed = sorted(
        {
            account.name
            for bot in chosen.values()
            for account in bot.spec.accounts.values()
            if account.name not in known or known[account.name].as_felt != account.as_felt
        }
    )
    if changed:
        raise Conflict(
            f"fleet.yaml says something new of what all bots share: account {', '.join(changed)}",
            hint="plan and apply the whole fleet, without selectors",
        )
