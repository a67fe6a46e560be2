"""`find_drift(evidence) -> Drift`: every disagreement of the four sides, and all that was not compared."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from engine.plan.drift.evidence import Evidence
from engine.plan.drift.findings import Drift, Finding, Noted, Unlooked
from engine.plan.drift.fleet import of_files, of_left, of_processes
from engine.plan.drift.venues import of_account, of_bot
from engine.plan.observed import Unknown
from engine.spec.types import AccountSpec, BotSpec


def find_drift(evidence: Evidence, names: Collection[str], *, noted: Mapping[str, Noted], looked_at: str) -> Drift:
    """What concerns these bots and their accounts; `noted` is what people ignore, by id."""
    found = list(_all(evidence, names))
    findings = {one.id: one for one in found if isinstance(one, Finding)}
    applied = evidence.observed.applied
    return Drift(
        fleet=_fleet(evidence),
        generation=applied.generation if applied else None,
        looked_at=looked_at,
        findings=tuple(one for one in findings.values() if one.id not in noted),
        noted=tuple((one, noted[one.id]) for one in findings.values() if one.id in noted),
        unlooked=tuple(dict.fromkeys(one for one in found if isinstance(one, Unlooked))),
    )


def traded(evidence: Evidence, names: Collection[str]) -> tuple[BotSpec, ...]:
    """The bots meant that were applied: whose markets and accounts there is something to look at."""
    bots = evidence.applied.bots if evidence.applied else {}
    return tuple(bots[name].spec for name in sorted(names) if name in bots)


def accounts(specs: Collection[BotSpec]) -> dict[str, AccountSpec]:
    """The accounts these bots trade on."""
    found = {leg.account: spec.accounts[leg.account] for spec in specs for leg in spec.legs.values()}
    return dict(sorted(found.items()))


def _all(evidence: Evidence, names: Collection[str]) -> Iterator[Finding | Unlooked]:
    specs = traded(evidence, names)
    yield from of_files(evidence, names)
    yield from of_processes(evidence, names)
    yield from map(of_left, evidence.left)
    for spec in specs:
        yield from of_bot(evidence, spec)
    for account in accounts(specs).values():
        yield from of_account(evidence, account)


def _fleet(evidence: Evidence) -> str:
    desired = evidence.applied or evidence.declared
    return "" if isinstance(desired, Unknown) else desired.fleet.id
