"""Everything metrics are made of, looked at once: what `status` and `stats` show, and what processes use."""

from __future__ import annotations

import time
from collections.abc import Mapping

from engine.control.fleet import View
from engine.control.observe import observe
from engine.control.statistics import BotStatistics, engine_statistics
from engine.control.status import BotStatus, fleet_status
from engine.control.watch.state import lock_file as watch_lock
from engine.host.locks import is_free
from engine.model.value import Value
from engine.plan.observed import Unknown
from engine.runtime.sentinel import lock_file as sentinel_lock
from engine.runtime.strain import Usage, read_usage
from engine.spec.types import FleetSpec


class Snapshot(Value, frozen=True, kw_only=True):
    """A fleet at one moment. `generation` is None before the first apply. `statistics` are of bots whose engines
    answer: a journal would be read whole, which is too much for every few seconds."""

    fleet_id: str
    generation: int | None
    supervisor_answers: bool
    companions: Mapping[str, bool]
    """Whether the programs beside the bots run, of those that are declared."""
    trips: Mapping[str, str] = {}
    """Why bots that a limit stopped were stopped."""
    statuses: tuple[BotStatus, ...]
    statistics: tuple[BotStatistics, ...]
    usage: Mapping[str, Usage]


def take_snapshot(fleet: View, *, with_statistics: bool = True) -> Snapshot:
    """Ask everybody, in parallel, for at most a few seconds; who does not answer is missing, never zero."""
    observed = observe(fleet)
    applied = observed.applied
    statuses = fleet_status(observed)
    bots = applied.bots if applied and with_statistics else {}
    answering = {bot.name: bots[bot.name] for bot in statuses if bot.name in bots and bot.generation is not None}
    now_s = time.monotonic()
    usage = {bot.name: used for bot in statuses if bot.pid and (used := read_usage(bot.pid, now_s))}
    return Snapshot(
        fleet_id=applied.fleet.id if applied else "",
        generation=applied.generation if applied else None,
        supervisor_answers=not isinstance(observed.processes, Unknown),
        companions=_companions(fleet, applied.fleet) if applied else {},
        trips={name: held.tripped for name, held in observed.holds.items() if held.tripped},
        statuses=statuses,
        statistics=engine_statistics(fleet.workspace, answering),
        usage=usage,
    )


def _companions(fleet: View, declared: FleetSpec) -> dict[str, bool]:
    workspace = fleet.workspace
    locks = {}
    if declared.sentinel is not None and declared.sentinel.enabled:
        locks["sentinel"] = sentinel_lock(workspace)
    if declared.watch is not None:
        locks["watch"] = watch_lock(workspace)
    return {name: not is_free(lock) for name, lock in locks.items()}
