"""The schemas and the code say the same: every field on both sides, described, with an impact."""

from __future__ import annotations

from typing import Any, cast

import msgspec
import pytest
from jsonschema import Draft202012Validator

from engine.exchanges import registry as venues
from engine.exchanges.registry import find_venue
from engine.model.value import Value
from engine.plan.risk_words import RiskWord
from engine.spec.grid import BoundaryAction, Direction, Spacing
from engine.spec.impact import Impact, impact_of
from engine.spec.policy import ANY, CommitState, Level, Rule, Share
from engine.spec.rules import ANY_KIND
from engine.spec.schema import (
    fields_of_schema,
    fill_defaults,
    load_schema,
    schema_names,
    schema_text,
    strategy_kinds,
    venue_names,
)
from engine.spec.types import (
    AccountSpec,
    AlertsSpec,
    BotSpec,
    BudgetSpec,
    BudgetsSpec,
    CanarySpec,
    ChannelSpec,
    CommitStatusSpec,
    EmailSpec,
    Environment,
    FleetSpec,
    FreezeSpec,
    LegSpec,
    MetricsSpec,
    OnFailure,
    ProcessSpec,
    RiskSpec,
    Role,
    RolloutSpec,
    SentinelSpec,
    SimSpec,
    StopPolicy,
    TelegramSpec,
    WatchSpec,
)
from engine.spec.validator import validator
from engine.strategies import grid, maker_taker_hedge, market_maker, perp_grid, perp_market_maker
from engine.strategies import registry as strategies
from engine.strategies.ladder import LayerStep, SizeProfile
from engine.strategies.pricing.shape import NEEDS, Pricing

MEANING = ["bot", "fleet", *(f"strategies/{kind}" for kind in strategy_kinds())]
MEANING += [f"venues/{venue}" for venue in venue_names()]
PARAMETERS: dict[str, type[Value]] = {
    "grid": grid.Parameters,
    "maker_taker_hedge": maker_taker_hedge.Parameters,
    "market_maker": market_maker.Parameters,
    "perp_grid": perp_grid.Parameters,
    "perp_market_maker": perp_market_maker.Parameters,
}


def fields(schema: str) -> dict[str, dict[str, Any]]:
    return {".".join(path): field for path, field in fields_of_schema(schema)}


def below(schema: str, prefix: str) -> set[str]:
    paths = (path for path, _ in fields_of_schema(schema))
    start = tuple(prefix.split(".")) if prefix else ()
    return {path[-1] for path in paths if path[:-1] == start}


def names(struct: type[Value]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(struct)}


@pytest.mark.parametrize("name", schema_names())
def test_a_schema_is_valid_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(msgspec.json.decode(schema_text(name)))


@pytest.mark.parametrize("name", MEANING)
def test_every_field_is_described_and_has_an_impact(name: str) -> None:
    for path, field in fields(name).items():
        assert field.get("description"), path
        assert field.get("x-impact") in list(Impact), path


@pytest.mark.parametrize("name", MEANING)
def test_a_default_fits_its_own_field(name: str) -> None:
    for path, field in fields(name).items():
        if "default" in field:
            schema = {key: value for key, value in field.items() if key in ("type", "enum", "minimum", "maximum")}
            assert validator(name).evolve(schema=schema).is_valid(field["default"]), path


def test_each_strategy_takes_exactly_the_parameters_of_its_schema() -> None:
    assert set(PARAMETERS) == set(strategy_kinds()) == set(strategies.BUILT_IN)
    for kind, parameters in PARAMETERS.items():
        assert below(f"strategies/{kind}", "") - {"kind"} == names(parameters)
        if "layer_step" in names(parameters):
            assert below(f"strategies/{kind}", "layer_step") == names(LayerStep)
    assert below("strategies/market_maker", "capital") == names(market_maker.Capital)


def test_the_specs_have_exactly_the_fields_of_the_schemas() -> None:
    assert below("bot", "risk") == names(RiskSpec)
    assert below("bot", "process") == names(ProcessSpec)
    assert below("bot", "exchange.legs.*") == names(LegSpec)
    assert below("bot", "exchange") == names(LegSpec) | {"legs"}
    assert below("bot", "metadata") == {"name", "labels", "protected", "role", "depends_on", "renamed_from"}
    assert names(BotSpec) == {
        "name",
        "labels",
        "enabled",
        "legs",
        "accounts",
        "strategy",
        "risk",
        "process",
        "budgets",
        "protected",
        "role",
        "depends_on",
        "renamed_from",
    }
    assert below("fleet", "accounts.*") | {"name", "rest_url", "ws_url"} == names(AccountSpec)
    assert below("fleet", "venues.*.environments.*") == {"rest_url", "ws_url"}
    assert below("fleet", "sim.*") | {"venue", "accounts", "tiers"} == names(SimSpec)
    assert below("fleet", "budgets") == {"requests_per_minute"} | names(BudgetsSpec)
    assert below("fleet", "budgets.fleet") == below("fleet", "budgets.accounts.*") == names(BudgetSpec)
    known = {"id", "live_allowed", "accounts", "sims", "requests_per_minute", "budgets", "sentinel", "env"}
    known |= {"rollout", "policy", "watch", "metrics", "alerts"}
    assert known | below("fleet", "supervisor") == names(FleetSpec)
    assert below("fleet", "watch") == names(WatchSpec)
    assert below("fleet", "metrics") == names(MetricsSpec)
    assert below("fleet", "alerts") == names(AlertsSpec)
    assert below("fleet", "alerts.channels.*") == names(ChannelSpec)
    assert below("fleet", "alerts.channels.*.telegram") == names(TelegramSpec)
    assert below("fleet", "alerts.channels.*.email") | {"sender"} == names(EmailSpec) | {"from"}
    assert below("fleet", "watch.commit_status") == names(CommitStatusSpec)
    assert below("fleet", "rollout") == names(RolloutSpec)
    assert below("fleet", "rollout.canary") == names(CanarySpec)
    assert below("fleet", "rollout.freeze.*") == names(FreezeSpec)
    assert below("fleet", "sentinel") == names(SentinelSpec)
    assert below("fleet", "policy.*") == names(Rule)


def test_the_choices_in_the_schemas_are_the_enums_of_the_code() -> None:
    accept = load_schema("fleet")["properties"]["watch"]["properties"]["accept"]
    assert {*accept["items"]["enum"], RiskWord.EMPTY} == set(RiskWord)
    assert fields("bot")["process.stop_policy"]["enum"] == list(StopPolicy)
    assert fields("bot")["metadata.role"]["enum"] == [*Role, None]
    assert fields("fleet")["accounts.*.environment"]["enum"] == list(Environment)
    assert fields("fleet")["policy.*.level"]["enum"] == list(Level)
    assert fields("fleet")["policy.*.mainnet_commit"]["enum"] == list(CommitState)
    assert below("fleet", "policy.*.max_share_pct") == set(Share)
    for kind in ("environments", "four_eyes"):
        assert fields("fleet")[f"policy.*.{kind}"]["items"]["enum"] == list(Environment)
    for limit in ("markets", "max_leverage"):
        named = fields("fleet")[f"policy.*.{limit}"]["propertyNames"]["enum"]
        assert tuple(named) == (*venue_names(), ANY)
    assert fields("fleet")["rollout.on_failure"]["enum"] == list(OnFailure)
    assert fields("strategies/market_maker")["size_profile"]["enum"] == list(SizeProfile)
    assert fields("strategies/market_maker")["pricing"]["enum"] == [*Pricing, None]
    pricings = [Pricing.VOLATILITY, Pricing.AVELLANEDA_STOIKOV, Pricing.GLFT]
    needs = [needed["then"]["required"] for needed in load_schema("common")["$defs"]["pricing_needs"]["allOf"]]
    assert [list(NEEDS[pricing]) for pricing in pricings] == needs
    for kind in ("grid", "perp_grid"):
        assert fields(f"strategies/{kind}")["spacing"]["enum"] == list(Spacing)
        assert fields(f"strategies/{kind}")["boundary_action"]["enum"] == list(BoundaryAction)
    assert fields("strategies/perp_grid")["direction"]["enum"] == list(Direction)


def test_every_strategy_and_venue_can_be_named_in_a_file() -> None:
    assert tuple(load_schema("bot")["properties"]["strategy"]["properties"]["kind"]["enum"]) == strategy_kinds()
    assert set(venue_names()) == set(venues.BUILT_IN)
    for field in ("bot:exchange.venue", "fleet:accounts.*.venue"):
        schema, _, path = field.partition(":")
        assert tuple(fields(schema)[path]["enum"]) == venue_names()
    for part in ("venues", "sim"):
        assert tuple(load_schema("fleet")["properties"][part]["propertyNames"]["enum"]) == venue_names()
    bot: Any = validator("bot").schema
    strategy = {"properties": {"strategy": bot["properties"]["strategy"]}}
    for kind, parameters in PARAMETERS.items():
        wrong = {"strategy": {"kind": kind, **dict.fromkeys(names(parameters))}}
        missing = validator("bot").evolve(schema=strategy).iter_errors(wrong)
        needed = load_schema(f"strategies/{kind}")["required"][1]
        assert any(error.absolute_path[-1] == needed for error in missing), kind


def test_a_venue_asks_for_the_credentials_its_code_needs() -> None:
    for venue in venue_names():
        facts = find_venue(venue).facts
        assert below(f"venues/{venue}", "credentials") == set(facts.credential_fields)


def test_a_venue_takes_a_dead_mans_switch_exactly_when_its_code_has_one() -> None:
    for venue in venue_names():
        is_taken = "integer" in fields(f"venues/{venue}")["dead_mans_switch_s"]["type"]
        assert is_taken is find_venue(venue).facts.dead_mans_switch, venue


def test_some_venue_has_every_kind_of_market_that_a_strategy_trades() -> None:
    kinds = {kind for name in strategy_kinds() for kind in load_schema(f"strategies/{name}")["x-legs"].values()}
    assert kinds - {ANY_KIND} <= {kind for venue in venue_names() for kind in find_venue(venue).facts.kinds}


def test_defaults_are_written_out_wherever_a_schema_has_one() -> None:
    written = {"metadata": {"name": "x"}, "strategy": {"kind": "perp_market_maker", "layer_step": {"ticks": 3}}}
    filled = fill_defaults(written, "bot")
    assert filled["risk"]["max_orders_per_minute"] == 600
    assert filled["process"]["stop_policy"] == "keep"
    assert filled["strategy"]["layer_step"] == {"ticks": 3}
    assert filled["strategy"]["layers"] == 1
    assert "base_target_pct" not in filled["strategy"]
    assert "risk" not in written


@pytest.mark.parametrize(
    ("path", "impact"),
    [
        ("strategy.spread_bps", Impact.IN_PLACE),
        ("strategy.layer_step.bps", Impact.IN_PLACE),
        ("strategy.capital.base", Impact.IN_PLACE),
        ("strategy.kind", Impact.REPLACE),
        ("risk.max_position", Impact.IN_PLACE),
        ("exchange.account", Impact.REPLACE),
        ("exchange.legs.maker.market", Impact.REPLACE),
        ("accounts.alpha.environment", Impact.REPLACE),
        ("accounts.alpha.credentials.api_key.env", Impact.RESTART),
        ("accounts.alpha.credentials.api_secret.file", Impact.RESTART),
        ("accounts.alpha.rest_url", Impact.RESTART),
        ("accounts.alpha.exclusive", Impact.RESTART),
        ("accounts.alpha.dead_mans_switch_s", Impact.RESTART),
        ("process.stop_policy", Impact.IN_PLACE),
        ("process.stop_timeout_s", Impact.RESTART),
        ("process.log_level", Impact.IN_PLACE),
        ("process.duration_s", Impact.RESTART),
        ("metadata.labels.desk", Impact.NONE),
        ("enabled", Impact.NONE),
        ("something.nobody.knows", Impact.REPLACE),
    ],
)
def test_the_impact_of_a_field(path: str, impact: Impact) -> None:
    assert impact_of(path) is impact


def test_the_shared_validator_is_made_once() -> None:
    assert validator("bot") is validator("bot")


def test_no_schema_uses_a_keyword_whose_failure_has_two_causes() -> None:
    def keywords(node: object) -> set[str]:
        if isinstance(node, dict):
            return set(node) | set().union(*map(keywords, node.values()))
        return set().union(*map(keywords, cast(list[object], node))) if isinstance(node, list) else set()

    for name in MEANING:
        assert not {"anyOf", "oneOf", "not"} & keywords(load_schema(name)), name
