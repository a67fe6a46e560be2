"""From texts to effective specs: layers, defaults, templates, variables, places, fingerprints."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from engine.sim import venues
from engine.spec.fingerprint import fingerprint
from engine.spec.load import Loaded, LoadedBot, load_fleet
from engine.spec.types import BotSpec, Environment, FleetSpec, SecretRef, StopPolicy
from engine.strategies.registry import build_strategy, strategy_kinds
from tests.simulated import simulated_markets
from tests.spec.cases import CASES, GOOD, known_markets, load_case

ROOT = Path(__file__).parents[2]
FLEET = (CASES / "fleet.yaml").read_text()
BOT = """\
metadata: {name: maker}
exchange: {account: alpha, market: SOL_USDC}
strategy: {kind: market_maker, spread_bps: 8, order_size: 1, capital: {base: 1, quote: 100}}
"""


def load(bot: str = BOT, fleet: str = FLEET, **environment: str) -> Loaded:
    files = {"bots/fleet.yaml": fleet, "bots/bot.yaml": bot}
    loaded = load_fleet(files, environment=environment, facts=known_markets)
    assert not loaded.has_errors, loaded.diagnostics
    return loaded


def only(loaded: Loaded) -> LoadedBot:
    (bot,) = loaded.bots.values()
    return bot


def good(name: str) -> Loaded:
    return load_case(CASES / "good" / name)


def fleet_of(loaded: Loaded) -> FleetSpec:
    assert loaded.fleet is not None
    return loaded.fleet


def test_an_effective_bot_has_every_default_written_out() -> None:
    spec = only(load()).spec
    assert spec.enabled
    assert spec.labels == {}
    assert spec.strategy.parameters["layer_step"] == {"bps": 5}
    assert spec.strategy.parameters["refill_below"] == "0.5"
    assert spec.risk.max_orders_per_minute == 600
    assert spec.risk.max_position is None
    assert spec.process.stop_policy is StopPolicy.KEEP
    assert spec.legs["main"].venue == "backpack"


def test_layers_are_schema_then_fleet_then_template_then_bot() -> None:
    loaded = good("template-with-overrides")
    spec = only(loaded).spec
    assert spec.risk.max_data_age_s == 10
    assert spec.risk.max_orders_per_minute == 30
    assert spec.risk.max_position == 20
    assert spec.risk.price_band_bps == 50
    assert spec.strategy.parameters["layers"] == 4
    assert spec.strategy.parameters["order_size"] == 3
    assert spec.strategy.parameters["inventory_skew"] == "0.25"
    assert spec.strategy.parameters["post_only"] is True
    assert spec.legs["main"].market == "SOL_USDC_PERP"


def test_a_field_knows_the_file_it_came_from() -> None:
    bot = only(good("template-with-overrides"))
    assert str(bot.place("strategy.layers")) == "bots/made.yaml:6:20"
    assert str(bot.place("strategy.order_size")) == "bots/made.yaml:4:9"
    assert str(bot.place("strategy.kind")) == "templates/perp.yaml:9:11"
    assert str(bot.place("risk.max_orders_per_minute")) == "bots/fleet.yaml:10:54"
    assert str(bot.place("risk.max_data_age_s")) == "bots/made.yaml:7:1"
    assert str(bot.place("accounts.alpha.balances.SOL")) == "bots/fleet.yaml:5:33"
    assert str(bot.place("process.log_level")) == "bots/made.yaml:1:1"


def test_secrets_stay_references() -> None:
    fleet = fleet_of(good("live-and-simulated"))
    assert fleet.accounts["main"].credentials == {
        "api_key": SecretRef(env="API_KEY"),
        "api_secret": SecretRef(file="secrets/backpack"),
    }
    assert b"must-never-be-shown" not in msgspec.json.encode(fleet)


def test_a_fleet_says_everything_about_its_venues() -> None:
    fleet = fleet_of(good("live-and-simulated"))
    assert fleet.live_allowed
    assert fleet.requests_per_minute == 300
    assert fleet.accounts["main"].rest_url == "https://proxy.example.org/backpack"
    assert fleet.accounts["main"].environment is Environment.MAINNET
    assert fleet.accounts["paper"].rest_url is None
    sim = fleet.sims["backpack"]
    assert (sim.seed, sim.speed, sim.latency_ms, sim.taker_delay_ms) == (3, Decimal("2.5"), 20, 0)
    assert sim.recording == "flows/day.gz"
    assert sim.accounts == {"paper": {"USDC": Decimal(1000)}}


def test_a_fleet_that_names_no_simulator_gets_one_with_the_defaults() -> None:
    sim = fleet_of(load()).sims["backpack"]
    assert (sim.seed, sim.speed, sim.taker_delay_ms, sim.recording) == (1, Decimal(1), 100, None)
    assert set(sim.accounts) == {"alpha", "beta"}


def test_a_fleet_without_simulated_accounts_has_no_simulator() -> None:
    fleet = "id: x\nlive: allowed\naccounts: {}\n"
    loaded = load_fleet({"bots/fleet.yaml": fleet}, environment={}, facts=known_markets)
    assert fleet_of(loaded).sims == {}


def test_a_variable_is_typed_as_if_it_were_written() -> None:
    bot = BOT.replace("SOL_USDC", '"${BASE}_USDC"') + "risk:\n  price_band_bps: ${BAND}\n  max_position: ${NONE}\n"
    spec = only(load(bot, BASE="ETH", BAND="12.50", NONE="null")).spec
    assert spec.legs["main"].market == "ETH_USDC"
    assert spec.risk.price_band_bps == Decimal("12.5")
    assert spec.risk.max_position is None


def test_an_unset_or_empty_variable_takes_its_default() -> None:
    bot = f"{BOT}process:\n  log_level: ${{LEVEL:-debug}}\n"
    assert only(load(bot)).spec.process.log_level == "debug"
    assert only(load(bot, LEVEL="")).spec.process.log_level == "debug"
    assert only(load(bot, LEVEL="error")).spec.process.log_level == "error"


def test_unknown_facts_warn_once_for_each_venue_and_environment() -> None:
    fleet = FLEET.replace("venue: backpack\n", "venue: backpack\n    environment: testnet\n")
    fleet = fleet.replace("balances: {USDC: 1000, SOL: 10}", 'credentials: {api_key: "${A}", api_secret: "${A}"}')
    fleet = fleet.replace("balances: {USDC: 1000}", 'credentials: {api_key: "${B}", api_secret: "${B}"}')
    second = BOT.replace("maker}", "b}").replace("alpha", "beta")
    files = {"bots/fleet.yaml": fleet, "bots/a.yaml": BOT, "bots/b.yaml": second}
    loaded = load_fleet(files, environment={}, facts=known_markets)
    assert [(found.code, found.is_error) for found in loaded.diagnostics] == [("facts-missing", False)]
    assert set(loaded.bots) == {"maker", "b"}


def test_a_spec_survives_the_generation_it_is_stored_in() -> None:
    for case in GOOD:
        for bot in load_case(case).bots.values():
            stored = msgspec.json.decode(msgspec.json.encode(bot.spec), type=BotSpec)
            assert stored == bot.spec
            assert fingerprint(stored) == fingerprint(bot.spec)


@pytest.mark.parametrize("case", GOOD, ids=lambda path: path.name)
def test_the_strategies_take_what_the_schemas_let_through(case: Path) -> None:
    for bot in load_case(case).bots.values():
        build_strategy(bot.spec.strategy)


def same(before: str, after: str) -> bool:
    return fingerprint(only(load(before)).spec) == fingerprint(only(load(after)).spec)


def test_a_fingerprint_does_not_see_how_a_number_is_written() -> None:
    assert same(BOT, BOT.replace("order_size: 1", "order_size: 1.00").replace("8", "8e0"))
    assert only(load(BOT)).spec == only(load(BOT.replace("quote: 100", "quote: 1e2"))).spec


def test_a_fingerprint_does_not_see_order_labels_enabled_or_a_default_written_out() -> None:
    assert same(BOT, "\n".join(reversed(BOT.splitlines())))
    assert same(BOT, BOT.replace("{name: maker}", "{name: maker, labels: {a: b}}"))
    assert same(BOT, f"enabled: false\n{BOT}")
    assert same(BOT, f"{BOT}process: {{log_level: info}}\n")


def test_a_fingerprint_sees_every_other_change() -> None:
    for old, new in [
        ("spread_bps: 8", "spread_bps: 8.1"),
        ("alpha", "beta"),
        ("SOL_USDC", "ETH_USDC"),
        ("name: maker", "name: other"),
        ("base: 1,", "base: 2,"),
    ]:
        assert not same(BOT, BOT.replace(old, new)), new
    assert not same(BOT, f"{BOT}risk: {{price_band_bps: 100}}\n")


def test_a_fingerprint_sees_only_the_accounts_a_leg_uses() -> None:
    other = FLEET.replace("balances: {USDC: 1000}", "balances: {USDC: 7}")
    own = FLEET.replace("SOL: 10", "SOL: 11")
    before = fingerprint(only(load()).spec)
    assert fingerprint(only(load(fleet=other)).spec) == before
    assert fingerprint(only(load(fleet=own)).spec) != before


def test_the_fingerprint_of_a_meaning_never_changes_between_versions() -> None:
    """Every fleet in the world would restart. Change VERSION if the form has to change."""
    assert fingerprint(only(load()).spec) == "v1:acd46e8d0b7c"


def sample() -> Loaded:
    files = {
        f"{folder}/{path.name}": path.read_text()
        for folder in ("bots", "templates")
        for path in (ROOT / folder).glob("*.yaml")
    }
    return load_fleet(files, environment={}, facts=simulated_markets)


def test_the_sample_fleet_loads_without_errors() -> None:
    loaded = sample()
    assert loaded.diagnostics == ()
    assert {bot.spec.strategy.kind for bot in loaded.bots.values()} == set(strategy_kinds())
    assert {leg.venue for bot in loaded.bots.values() for leg in bot.spec.legs.values()} == set(venues.SIMULATED)
    assert any(str(bot.place("strategy.kind")).startswith("templates/") for bot in loaded.bots.values())


@pytest.mark.parametrize(
    ("name", "bot"),
    [
        ("spot-grid", "{account: alpha, market: SOL_USDC, lower: 170, upper: 190, capital: 5000}"),
        ("perp-grid", "{account: alpha, market: SOL_USDC_PERP, centre: 180, size: 0.5, direction: long}"),
        ("following-perp-grid", "{account: alpha, market: SOL_USDC_PERP, capital: 5000, max_position: 30}"),
        (
            "hedged-maker",
            "{account: alpha, market: SOL_USDC, hedge_account: beta, hedge_market: SOL_USDC_PERP, size: 0.5}",
        ),
        ("modelled-perp", "{account: alpha, market: SOL_USDC_PERP, size: 0.5, liquidity: 0.3, arrivals: 0.9}"),
    ],
)
def test_a_sample_template_makes_a_bot_without_complaints(name: str, bot: str) -> None:
    files = {
        "bots/fleet.yaml": (ROOT / "bots" / "fleet.yaml").read_text(),
        f"templates/{name}.yaml": (ROOT / "templates" / f"{name}.yaml").read_text(),
        "bots/net.yaml": f"metadata: {{name: net}}\ntemplate: {name}\nparameters: {bot}\n",
    }
    loaded = load_fleet(files, environment={}, facts=simulated_markets)
    assert loaded.diagnostics == ()
    build_strategy(only(loaded).spec.strategy)


def test_every_sample_file_tells_editors_its_schema() -> None:
    for path in [*(ROOT / "bots").glob("*.yaml"), *(ROOT / "templates").glob("*.yaml")]:
        first, prefix = path.read_text().splitlines()[0], "# yaml-language-server: $schema="
        assert first.startswith(prefix)
        assert (path.parent / first.removeprefix(prefix)).is_file()


def test_no_files_at_all_are_reported_not_raised() -> None:
    loaded = load_fleet({}, environment={}, facts=known_markets)
    assert [found.code for found in loaded.diagnostics] == ["no-fleet"]
