"""Every file in tests/cases/policy is one fleet with its policy, and what the policy finds.

A case says `files`, the `facts` that are known beyond them (none: only the files are judged), and `findings`.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.control.desired import declared
from engine.plan.desired import Desired
from engine.plan.exposure import Amount, added
from engine.plan.findings import finding_text
from engine.plan.policy import judge
from engine.plan.policy_facts import Approval, Facts, Origin
from engine.spec.facts import no_facts
from engine.spec.load import load_fleet
from engine.spec.policy import LIMITS, Level, Rule, Share
from engine.spec.types import BudgetSpec, BudgetsSpec, Environment
from tests.plan import fleets

CASES = sorted((Path(__file__).parents[1] / "cases" / "policy").glob("*.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_policy_finds_what_its_case_says(case: Path) -> None:
    words = yaml.safe_load(case.read_text())
    found = judge(_desired(words["files"]), _facts(words.get("facts")))
    assert [finding_text(finding) for finding in found] == words["findings"]
    assert all(finding.hint and finding.is_unknown == ("unknown" in finding.figure) for finding in found)


def test_every_limit_has_a_case() -> None:
    written = "\n".join(case.read_text() for case in CASES)
    assert {limit for limit in LIMITS if f"{limit}:" not in written} == set()


def test_an_overlay_changes_a_rule_by_its_name_and_leaves_the_others() -> None:
    files = yaml.safe_load((CASES[0].parent / "totals_and_positions.yaml").read_text())["files"]
    files["envs/small/fleet.yaml"] = "policy:\n  one: {level: warn, max_position_notional_usd: 5}\n"
    loaded = load_fleet(files, environment={}, facts=no_facts, env="small")
    assert loaded.fleet is not None
    rules = declared(loaded, loaded.fleet)
    assert {name: rule.level for name, rule in rules.fleet.policy.items()} == {"all": "override", "one": "warn"}
    assert rules.fleet.policy["one"].max_position_notional_usd == 5


def _desired(files: dict[str, str]) -> Desired:
    loaded = load_fleet(files, environment={"KEY": "a", "SECRET": "b"}, facts=no_facts)
    assert loaded.fleet is not None
    assert not loaded.has_errors, loaded.diagnostics
    return declared(loaded, loaded.fleet)


def _facts(words: dict[str, Any] | None) -> Facts | None:
    if words is None:
        return None
    prices = {tuple(book.split()): Decimal(str(price)) for book, price in words.get("prices", {}).items()}
    return Facts(
        prices={(venue, Environment(name), market): price for (venue, name, market), price in prices.items()},
        equity={name: Decimal(held) for name, held in words.get("equity", {}).items()},
        commit=msgspec.convert(words.get("commit", {}), Origin),
        applier=words.get("applier", "ann"),
        approvals=tuple(msgspec.convert(one, Approval) for one in words.get("approvals", ())),
        is_again=words.get("is_again", False),
    )


MARKETS = ("SOL_USDC_PERP", "BTC_USDC_PERP", "ETH_USDC_PERP")
MONEY = st.decimals(min_value=1, max_value=10_000, places=1)


@st.composite
def judged_fleets(draw: st.DrawFn) -> tuple[Desired, Facts]:
    """Bots in several markets of which some have a price, with or without budgets and equity."""
    specs = [fleets.spec(market[:3].lower(), market=market, max_position=draw(MONEY)) for market in MARKETS]
    wanted = fleets.desired(*specs)
    budgets = BudgetsSpec(
        fleet=draw(st.none() | st.builds(BudgetSpec, max_gross_exposure_usd=MONEY)),
        accounts=draw(
            st.just({}) | st.fixed_dictionaries({"main": st.builds(BudgetSpec, max_gross_exposure_usd=MONEY)})
        ),
    )
    fleet = msgspec.structs.replace(wanted.fleet, budgets=budgets)
    prices = draw(st.dictionaries(st.sampled_from(MARKETS), MONEY))
    facts = Facts(
        prices={("backpack", Environment.SIM, market): price for market, price in prices.items()},
        equity=draw(st.just({}) | st.fixed_dictionaries({"main": MONEY})),
    )
    return msgspec.structs.replace(wanted, fleet=fleet), facts


def _rules(limit: Decimal, percent: Decimal) -> dict[str, Rule]:
    return {
        "leverage": Rule(level=Level.DENY, max_leverage={"*": limit}),
        "total": Rule(level=Level.DENY, max_total_notional_usd=limit),
        "position": Rule(level=Level.DENY, max_position_notional_usd=limit),
        "share": Rule(level=Level.DENY, max_share_pct={Share.MARKET: percent, Share.ACCOUNT: percent}),
    }


def _found(wanted: Desired, facts: Facts, rules: dict[str, Rule]) -> set[tuple[str, str]]:
    fleet = msgspec.structs.replace(wanted.fleet, policy=rules)
    found = judge(msgspec.structs.replace(wanted, fleet=fleet), facts)
    return {(finding.rule, finding.what) for finding in found}


@given(judged_fleets(), MONEY, MONEY, st.integers(1, 100), st.integers(1, 100))
def test_a_stricter_limit_never_finds_less(
    judged: tuple[Desired, Facts], one: Decimal, other: Decimal, share: int, other_share: int
) -> None:
    strict = _rules(min(one, other), Decimal(min(share, other_share)))
    lenient = _rules(max(one, other), Decimal(max(share, other_share)))
    assert _found(*judged, lenient) <= _found(*judged, strict)


@given(judged_fleets(), MONEY, st.integers(1, 100))
def test_less_knowledge_never_finds_less(judged: tuple[Desired, Facts], limit: Decimal, share: int) -> None:
    wanted, facts = judged
    rules = _rules(limit, Decimal(share))
    assert _found(wanted, facts, rules) <= _found(wanted, Facts(), rules)


@given(st.lists(st.sampled_from(["BTC*", "SOL*", "ETH_USDC_PERP", "*"])), st.sampled_from(["BTC*", "SOL*", "*"]))
def test_a_longer_list_never_finds_more(allowed: list[str], another: str) -> None:
    wanted = fleets.desired(*(fleets.spec(market[:3].lower(), market=market) for market in MARKETS))
    short, long = (
        {"list": Rule(level=Level.DENY, markets={"backpack": tuple(names)})}
        for names in (allowed, [*allowed, another])
    )
    assert _found(wanted, Facts(), long) <= _found(wanted, Facts(), short)


@given(st.lists(MONEY, min_size=1), MONEY)
def test_what_is_known_exactly_is_always_told_from_a_limit(amounts: list[Decimal], limit: Decimal) -> None:
    whole = added(Amount(least=amount, most=amount) for amount in amounts)
    assert whole.is_exact
    assert whole.exceeds(limit) is (sum(amounts) > limit)
