"""What is said beside the files of a bot that is run: every step of the precedence, and what cannot be meant."""

from __future__ import annotations

import pytest

from engine.errors import UsageError
from engine.spec.load import Loaded, load_fleet
from engine.spec.said import Said, default_name, said_by_environment, said_by_flags
from tests.simulated import simulated_markets

FLEET = """\
id: lab
accounts: {main: {venue: backpack, balances: {USDC: 1000}}, other: {venue: backpack, balances: {USDC: 1000}}}
"""
DEFAULTS = "defaults: {risk: {price_band_bps: 300}}\n"
BOT = """\
metadata: {name: sol}
exchange: {account: main, market: SOL_USDC_PERP}
strategy: {kind: perp_market_maker, spread_bps: 10, order_size: 1}
risk: {max_position: 5}
"""
TEMPLATE = """\
parameters: {}
bot:
  exchange: {account: main, market: SOL_USDC_PERP}
  strategy: {kind: perp_market_maker, spread_bps: 10, order_size: 1}
  risk: {max_position: 5}
"""
BAND, SPREAD = "risk.price_band_bps", "strategy.spread_bps"
FLAGS = {"exchange": "backpack", "symbol": "SOL_USDC_PERP", "account": "main", "strategy": "perp_market_maker"}
SIZES = {SPREAD: "10", "strategy.order_size": "1", "risk.max_position": "5"}


def load(files: dict[str, str], said: Said) -> Loaded:
    return load_fleet({"bots/fleet.yaml": FLEET, **files}, environment={}, facts=simulated_markets, said=said)


def setting(loaded: Loaded, path: str, bot: str = "sol") -> str:
    assert not loaded.has_errors, loaded.diagnostics
    spec = loaded.bots[bot].spec
    section, _, key = path.partition(".")
    return str(spec.strategy.parameters[key] if section == "strategy" else getattr(getattr(spec, section), key))


@pytest.mark.parametrize(
    ("flag", "file", "fleet", "variable", "expected"),
    [
        ("60", "50", "30", "20", "60"),
        (None, "50", "30", "20", "50"),
        (None, None, "30", "20", "30"),
        (None, None, None, "20", "20"),
        (None, None, None, None, "500"),
    ],
    ids=["flag", "file", "defaults of fleet.yaml", "environment", "schema"],
)
def test_the_strongest_layer_that_says_something_decides(
    flag: str | None, file: str | None, fleet: str | None, variable: str | None, expected: str
) -> None:
    files = {
        "bots/fleet.yaml": FLEET + (DEFAULTS.replace("300", fleet) if fleet else ""),
        "bots/sol.yaml": BOT.replace("max_position: 5", f"max_position: 5, price_band_bps: {file}")
        if file
        else BOT,
    }
    said = Said(
        bot="sol",
        over=said_by_flags({}, {BAND: flag} if flag else {}),
        under=said_by_environment({"BOTCTL_RUN_RISK__PRICE_BAND_BPS": variable or ""}),
    )
    assert setting(load(files, said), BAND) == expected


def test_flags_win_over_a_template_and_variables_do_not() -> None:
    files = {"templates/maker.yaml": TEMPLATE, "bots/sol.yaml": "metadata: {name: sol}\ntemplate: maker\n"}
    over, under = {SPREAD: "20"}, {SPREAD: "30", "strategy.layers": "3"}
    loaded = load(files, Said(bot="sol", over=over, under=under))
    assert (setting(loaded, SPREAD), setting(loaded, "strategy.layers")) == ("20", "3")
    assert setting(load(files, Said(bot="sol", under=under)), SPREAD) == "10"


def test_only_the_bot_that_is_run_hears_what_is_said() -> None:
    other = BOT.replace("name: sol", "name: two").replace("account: main", "account: other")
    loaded = load({"bots/sol.yaml": BOT, "bots/two.yaml": other}, Said(bot="sol", over={SPREAD: "20"}))
    assert (setting(loaded, SPREAD), setting(loaded, SPREAD, "two")) == ("20", "10")


def test_flags_alone_make_a_bot_with_the_defaults_of_the_schema() -> None:
    over = said_by_flags({**FLAGS, "name": "direct", "interval": "5", "duration": "10m"}, SIZES)
    spec = load({}, Said(over=over)).bots["direct"].spec
    assert (spec.legs["main"].account, spec.legs["main"].market) == ("main", "SOL_USDC_PERP")
    assert (spec.strategy.parameters["requote_interval_s"], spec.process.duration_s) == (5, 600)
    assert spec.strategy.parameters["layers"] == 1


def test_every_flag_has_a_variable_below_it() -> None:
    variables = {f"BOTCTL_RUN_{flag.upper()}": value for flag, value in FLAGS.items()}
    under = said_by_environment({**variables, "BOTCTL_RUN_DURATION": "1h", "PATH": "/bin", "BOTCTL_RUN_NAME": ""})
    said = Said(over=said_by_flags({"name": "direct", "symbol": "BTC_USDC_PERP"}, SIZES), under=under)
    spec = load({}, said).bots["direct"].spec
    assert (spec.legs["main"].market, spec.process.duration_s) == ("BTC_USDC_PERP", 3600)


def test_a_bot_of_flags_may_trade_where_a_declared_one_does_and_the_locks_decide() -> None:
    said = Said(over=said_by_flags({**FLAGS, "name": "direct"}, SIZES))
    assert not load({"bots/sol.yaml": BOT}, said).has_errors


def test_a_name_that_is_declared_is_not_taken() -> None:
    loaded = load({"bots/sol.yaml": BOT}, Said(over=said_by_flags({**FLAGS, "name": "sol"}, SIZES)))
    assert {found.code for found in loaded.diagnostics if found.is_error} == {"duplicate-name"}


def test_a_file_from_elsewhere_is_checked_like_one_of_the_fleet() -> None:
    said = Said(
        file="elsewhere/sol.yaml", text=BOT.replace("spread_bps", "spread_bsp"), over={"strategy.layers": "x"}
    )
    found = {str(one.place): one.code for one in load({}, said).diagnostics if one.is_error}
    assert found["elsewhere/sol.yaml:3:37"] == "unknown-key"
    assert found["command line:2:11"] == "wrong-type"


def test_a_secret_said_as_a_setting_stays_a_reference_and_a_pasted_one_is_refused_unshown() -> None:
    key = "process.proxy"
    reference = load({"bots/sol.yaml": BOT}, Said(bot="sol", over={key: "${PROXY}"})).bots["sol"].spec.process.proxy
    assert reference is not None and reference.env == "PROXY"
    loaded = load({"bots/sol.yaml": BOT}, Said(bot="sol", over={key: "http://ann:hunter2@proxy.example.org:1"}))
    (error,) = [found for found in loaded.diagnostics if found.is_error]
    assert (error.code, "hunter2" in repr(error)) == ("pasted-secret", False)


@pytest.mark.parametrize(
    ("flags", "settings", "words"),
    [
        ({"duration": "soon"}, {}, "--duration 'soon' is no time"),
        ({"interval": "0"}, {}, "--interval '0' is no time"),
        ({}, {"spread": "1"}, "--set 'spread' is no setting's path"),
        ({}, {"strategy.x: 1 # ": "1"}, "is no setting's path"),
        ({}, {SPREAD: "1\nrisk: {}"}, "is more than one line"),
        (
            {"strategy": "grid"},
            {"strategy.kind": "grid"},
            "--strategy and --set strategy.kind say the same setting",
        ),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(flags: dict[str, str], settings: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        said_by_flags(flags, settings)


def test_a_variable_that_says_no_setting_is_wrong_usage_and_the_nearest_is_named() -> None:
    with pytest.raises(UsageError, match="BOTCTL_RUN_SYMBL says no setting") as error:
        said_by_environment({"BOTCTL_RUN_SYMBL": "SOL_USDC"})
    assert "BOTCTL_RUN_SYMBOL" in str(error.value.hint)


def test_the_same_flags_give_the_same_name_and_another_market_another() -> None:
    names = {
        default_name(Said(over=said_by_flags({**FLAGS, "symbol": symbol}, {}))) for symbol in ("A_B", "A_C", "A_B")
    }
    assert names == {"main-a-b-perp-market-maker", "main-a-c-perp-market-maker"}
