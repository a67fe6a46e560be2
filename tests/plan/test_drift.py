"""Every file in tests/cases/drift is one look: what is declared, applied, seen and told, and how the drift reads.

Beside what cases of plans say: `venue` is what of each market was told (no entry: as it should be; a text: why it
was not), `accounts` what of balances nothing explains, `ignored` which findings somebody ignores.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml
from hypothesis import given

from engine.plan.actions import Subject
from engine.plan.desired import Desired
from engine.plan.diff import diff
from engine.plan.drift.document import drift_document
from engine.plan.drift.evidence import AccountLook, Evidence, MarketLook, RestingOrder, SetLeverage
from engine.plan.drift.findings import Drift, Finding, Noted, Unlooked, Way
from engine.plan.drift.fleet import of_files, of_processes
from engine.plan.drift.judge import find_drift
from engine.plan.drift.render import render
from engine.plan.narrowing import everybody
from engine.plan.observed import Observed, Unknown
from engine.resources import resource
from engine.spec.types import BotSpec
from tests.plan import fleets
from tests.plan.presents import carried_out, fleets_of_specs, presents
from tests.plan.words import desired, observed

CASES = sorted((Path(__file__).parents[1] / "cases" / "drift").glob("*.yaml"))
SCHEMA = json.loads(resource("schemas", "drift.schema.json").read_text())
MARKET = ("main", "SOL_USDC_PERP")


def drift_of(words: dict[str, Any]) -> Drift:
    applied = desired({**words, "declared": words.get("applied")}) if "applied" in words else None
    declared = Unknown(why=words["unreadable"]) if "unreadable" in words else desired(words)
    evidence = Evidence(
        declared=declared,
        applied=applied,
        observed=observed(words),
        markets={MARKET: market(words.get("venue", {}))},
        accounts={"main": account(words.get("accounts", {}))},
    )
    names = {*(words.get("applied") or {}), *(words.get("declared") or {}), *words.get("seen", {})}
    noted = {
        key: Noted(id=key, who="ann", at="2026-11-22T09:00:00.000Z", why=why, bot="", words="")
        for key, why in words.get("ignored", {}).items()
    }
    return find_drift(evidence, names, noted=noted, looked_at="2026-11-22T10:00:00.000Z")


def market(told: dict[str, Any] | str) -> MarketLook | Unknown:
    if isinstance(told, str):
        return Unknown(why=told)
    leverage = told.get("leverage")
    return MarketLook(
        orders=tuple(RestingOrder(**order) for order in told.get("orders", [])),
        position=Decimal(told.get("position", "0")),
        explained=Decimal(told.get("explained", "0")),
        leverage=SetLeverage(**{**leverage, "times": Decimal(leverage["times"])}) if leverage else None,
    )


def account(told: dict[str, str] | str) -> AccountLook:
    if isinstance(told, str):
        return AccountLook(why_not=told)
    return AccountLook(unexplained={asset: Decimal(size) for asset, size in told.items()}, since="it was opened")


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_drift_reads_as_its_case_says(case: Path) -> None:
    words = yaml.safe_load(case.read_text())
    shown = render(drift_of(words), everything=words.get("everything", False), ways=words.get("ways", False))
    assert shown == words["text"].rstrip("\n")


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_drift_as_json_fits_its_schema(case: Path) -> None:
    drift = drift_of(yaml.safe_load(case.read_text()))
    document = msgspec.json.decode(msgspec.json.encode(drift_document(drift)))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert document["has_drift"] is bool(drift.findings)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_every_finding_says_what_each_way_comes_to_and_offers_one(case: Path) -> None:
    for finding in drift_of(yaml.safe_load(case.read_text())).findings:
        assert finding.means.keys() == set(Way)
        assert all(means.is_possible or means.instead for means in finding.means.values())
        assert any(means.is_possible for means in finding.means.values())


def test_another_figure_is_another_finding_and_is_told_again() -> None:
    words = yaml.safe_load((CASES[0].parent / "leverage_was_changed.yaml").read_text())
    [known] = drift_of(words).findings
    words["ignored"] = {known.id: "for this week"}
    assert drift_of(words).findings == () and len(drift_of(words).noted) == 1
    words["venue"]["leverage"]["times"] = "3"
    [other] = drift_of(words).findings
    assert other.id != known.id


def test_right_after_an_apply_there_is_no_drift() -> None:
    drift = drift_of({"declared": {"sol": {}, "eth": {}}, "applied": {"sol": {}, "eth": {}}})
    assert (drift.findings, drift.unlooked, drift.is_complete) == ((), (), True)


@given(old=presents(), new=fleets_of_specs)
def test_straight_after_an_apply_files_and_processes_are_as_they_were_left(
    old: Observed, new: list[BotSpec]
) -> None:
    wanted = fleets.desired(*new)
    after = carried_out(wanted, old, diff(wanted, old))
    assert findings(wanted, wanted, after) == []


@given(old=presents(), new=fleets_of_specs)
def test_whatever_a_plan_would_change_is_told_as_drift(old: Observed, new: list[BotSpec]) -> None:
    wanted = fleets.desired(*new)
    applied = fleets.desired(*old.applied.bots.values()) if old.applied else None
    changes = diff(wanted, old).changes
    told = {one.whose for one in [*findings(wanted, applied, old), *unlooked(wanted, applied, old)]}
    assert {action.name for action in changes if action.subject is Subject.BOT} <= told


def findings(declared: Desired, applied: Desired | None, present: Observed) -> list[Finding]:
    return [one for one in _told(declared, applied, present) if isinstance(one, Finding)]


def unlooked(declared: Desired, applied: Desired | None, present: Observed) -> list[Unlooked]:
    return [one for one in _told(declared, applied, present) if isinstance(one, Unlooked)]


def _told(declared: Desired, applied: Desired | None, present: Observed) -> list[Finding | Unlooked]:
    evidence = Evidence(declared=declared, applied=applied, observed=present)
    names = set(everybody(declared, present))
    return [*of_files(evidence, names), *of_processes(evidence, names)]
