"""Gathers the four sides that may disagree: files, generation, processes, venues. Changes nothing, and cannot: what
acts is not imported here, and a venue is sent only questions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator

from msgspec.structs import replace

from engine.clock import iso_utc
from engine.control.desired import desired_of, env_in_force, resolve_desired
from engine.control.drift.venues import ask_venues, counters_of
from engine.control.fleet import Fleet, View
from engine.control.observe import observe
from engine.errors import ConfigInvalid
from engine.host.direct import direct_bots, read_direct
from engine.host.generation import read_current
from engine.host.ignored_drift import ignored_drift
from engine.host.locks import is_free
from engine.host.workspace import Workspace
from engine.model.value import Value
from engine.plan.desired import Desired
from engine.plan.drift.evidence import Evidence, Left
from engine.plan.drift.findings import Drift
from engine.plan.drift.judge import find_drift, traded
from engine.plan.narrowing import everybody
from engine.plan.observed import Observed, Unknown
from engine.plan.selection import Selection
from engine.runtime.journal_reader import live_orders
from engine.spec.types import LegSpec
from engine.trading.reconciliation import Baseline

Progress = Callable[[str], None]


class Looked(Value, frozen=True, kw_only=True):
    """One look. `standing` is how each account stood then, for whoever says that this is right."""

    drift: Drift
    standing: dict[str, Baseline]


class Wanted(Value, frozen=True, kw_only=True):
    """Which bots to look at, and in which environment the files are read; None: the one in force."""

    selection: Selection = Selection()
    env: str | None = None


def look(fleet: Fleet | View, wanted: Wanted, progress: Progress) -> Looked:
    """Everything that concerns the bots meant; what cannot be asked is told as such."""
    workspace, observed = fleet.workspace, observe(fleet)
    applied = _applied(workspace)
    declared = _declared(workspace, wanted.env or env_in_force(workspace), progress)
    left = tuple(_left(workspace)) if wanted.selection == Selection() else ()
    evidence = Evidence(declared=declared, applied=applied, observed=observed, left=left)
    names = _names(evidence, wanted.selection)
    return _with_venues(workspace, evidence, names, progress)


def look_at(
    fleet: Fleet | View, declared: Desired, observed: Observed, names: Collection[str], progress: Progress
) -> Drift:
    """The same for these bots, by one who has read the files and has seen what runs."""
    evidence = Evidence(declared=declared, applied=_applied(fleet.workspace), observed=observed)
    return _with_venues(fleet.workspace, evidence, names, progress).drift


def _left(workspace: Workspace) -> Iterator[Left]:
    """Of what was run in the foreground and runs no more, whatever left orders."""
    for name in direct_bots(workspace):
        kept, journals = read_direct(workspace, name), (workspace.journals / name).glob("*.sqlite")
        orders = sum(map(live_orders, journals))
        if kept is not None and orders and is_free(workspace.locks / name):
            yield Left(spec=kept.spec, orders=orders)


def _applied(workspace: Workspace) -> Desired | None:
    generation = read_current(workspace)
    return desired_of(generation) if generation else None


def _declared(workspace: Workspace, env: str | None, progress: Progress) -> Desired | Unknown:
    """Files that cannot be meant hide nothing of what runs."""
    try:
        return resolve_desired(workspace, progress, env)
    except ConfigInvalid as error:
        return Unknown(why=f"{error.message.splitlines()[0]}; botctl validate shows them")


def _names(evidence: Evidence, selection: Selection) -> Collection[str]:
    known = next((one for one in (evidence.declared, evidence.applied) if isinstance(one, Desired)), None)
    return selection.names(everybody(known, evidence.observed)) if known else ()


def _with_venues(workspace: Workspace, evidence: Evidence, names: Collection[str], progress: Progress) -> Looked:
    legs = [leg for spec in traded(evidence, names) for leg in spec.legs.values()]
    markets = {
        account: sorted({leg.market for leg in legs if leg.account == account}) for account in _accounts(legs)
    }
    progress(f"asking about {len(legs)} markets on {len(markets)} accounts")
    answers = ask_venues(counters_of(workspace, evidence.observed.applied), markets)
    seen = replace(
        evidence,
        markets={(name, at): look for name, answer in answers.items() for at, look in answer.markets.items()},
        accounts={name: answer.account for name, answer in answers.items()},
    )
    drift = find_drift(seen, names, noted=ignored_drift(workspace), looked_at=iso_utc(time.time_ns()))
    standing = {name: answer.standing for name, answer in answers.items() if answer.standing}
    return Looked(drift=drift, standing=standing)


def _accounts(legs: Iterable[LegSpec]) -> list[str]:
    return sorted({leg.account for leg in legs})
