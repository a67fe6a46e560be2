"""What `botctl run` refuses before anything runs, and what it would run."""

from __future__ import annotations

from pathlib import Path

import pytest

import cli
from engine.control.direct import Wish, find_runnable
from engine.errors import BotctlError, ConfigInvalid, Conflict, Refused, UsageError
from engine.host.workspace import Workspace
from engine.plan.risk_words import RiskWord
from engine.spec.said import said_by_environment, said_by_flags
from engine.spec.types import BotSpec, Environment
from tests.fleets import bot_spec, write_generation

FLEET = """\
id: test
live: allowed
accounts:
  main: {venue: backpack, balances: {USDC: 100000}}
  second: {venue: backpack, balances: {USDC: 100000}}
  dex: {venue: aster, balances: {USDT: 100000}}
  real: {venue: backpack, environment: mainnet, credentials: {api_key: "${KEY}", api_secret: "${SECRET}"}}
"""
FLAGS = {"exchange": "backpack", "symbol": "SOL_USDC_PERP", "strategy": "perp_market_maker"}
SIZES = {"strategy.spread_bps": "8", "strategy.order_size": "0.4", "risk.max_position": "5"}
DECLARED = """\
metadata: {name: maker}
exchange: {account: main, market: SOL_USDC_PERP}
strategy: {kind: perp_market_maker, spread_bps: 9, order_size: 1}
risk: {max_position: 5}
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.chdir(tmp_path)
    workspace = Workspace(root=tmp_path / "fleet")
    workspace.bots.mkdir(parents=True)
    (workspace.bots / "fleet.yaml").write_text(FLEET)
    return workspace


def find(workspace: Workspace, target: str | None = None, **words: object) -> BotSpec:
    wish = Wish(target=target, **words)  # type: ignore[arg-type]  # as a command line would have it
    return find_runnable(workspace, wish, lambda _line: None).read_applied().spec


def of_flags(workspace: Workspace, environment: Environment | None = None, **flags: str) -> BotSpec:
    over = said_by_flags({**FLAGS, **flags}, SIZES)
    return find(workspace, over=over, environment=environment)


def test_the_only_account_of_a_venue_is_the_one(workspace: Workspace) -> None:
    assert of_flags(workspace, exchange="aster", symbol="SOLUSDT").legs["main"].account == "dex"
    assert of_flags(workspace, account="second").name == "second-sol-usdc-perp-perp-market-maker"


@pytest.mark.parametrize(
    ("flags", "words", "hint"),
    [
        ({}, "fleet.yaml has several accounts at backpack", "--account main or real or second"),
        ({"exchange": "paradex"}, "fleet.yaml has no account at paradex", "aster, backpack"),
        ({"exchange": "bakpack"}, "fleet.yaml has no account at bakpack", "backpack"),
    ],
)
def test_an_account_that_is_not_clear_is_asked_for(
    workspace: Workspace, flags: dict[str, str], words: str, hint: str
) -> None:
    with pytest.raises(UsageError, match=words) as error:
        of_flags(workspace, **flags)
    assert hint in str(error.value.hint)


def test_an_account_is_never_of_another_environment_than_was_said(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="account main is on sim, not on mainnet"):
        of_flags(workspace, Environment.MAINNET, account="main")


def test_what_is_missing_is_named_by_its_flag(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="--symbol, --strategy is missing"):
        find(workspace, over=said_by_flags({"exchange": "backpack"}, {}))


def test_a_bot_of_two_legs_is_made_of_settings_and_wants_a_name(workspace: Workspace) -> None:
    legs = {"maker": ("main", "SOL_USDC_PERP"), "hedge": ("dex", "SOLUSDT")}
    settings = {"strategy.order_size": "1", "strategy.max_unhedged": "3", "risk.max_position": "5"}
    for leg, (account, market) in legs.items():
        settings |= {f"exchange.legs.{leg}.account": account, f"exchange.legs.{leg}.market": market}
    with pytest.raises(UsageError, match="--name is missing"):
        find(workspace, over=said_by_flags({"strategy": "maker_taker_hedge"}, settings))
    over = said_by_flags({"strategy": "maker_taker_hedge", "name": "pair"}, settings)
    assert {leg.account for leg in find(workspace, over=over).legs.values()} == {"main", "dex"}


def test_real_money_wants_its_word_the_first_time(workspace: Workspace) -> None:
    with pytest.raises(Refused, match="never traded real money from here: real") as error:
        of_flags(workspace, Environment.MAINNET)
    assert "--accept mainnet" in str(error.value.hint)
    over = said_by_flags({**FLAGS, "account": "real"}, SIZES)
    assert find(workspace, over=over, accepted={RiskWord.MAINNET}).legs["main"].account == "real"


def test_a_name_that_is_applied_is_not_taken_even_when_no_file_declares_it(workspace: Workspace) -> None:
    write_generation(workspace, {"maker": bot_spec()})
    with pytest.raises(Conflict, match="maker is applied, and this is another bot"):
        of_flags(workspace, account="main", name="maker")


def test_the_policy_judges_a_bot_of_flags_too(workspace: Workspace) -> None:
    rule = "policy: {only-btc: {level: deny, reason: the mandate, markets: {backpack: ['BTC*']}}}\n"
    (workspace.bots / "fleet.yaml").write_text(FLEET + rule)
    with pytest.raises(Refused, match="rule only-btc"):
        of_flags(workspace, account="main")


def test_flags_go_over_a_declared_bot_and_variables_under_it(workspace: Workspace) -> None:
    (workspace.bots / "maker.yaml").write_text(DECLARED)
    under = said_by_environment({"BOTCTL_RUN_STRATEGY__LAYERS": "3", "BOTCTL_RUN_STRATEGY__SPREAD_BPS": "70"})
    for target in ("maker", str(workspace.bots / "maker.yaml")):
        spec = find(workspace, target, over=said_by_flags({"duration": "60"}, {}), under=under)
        assert (spec.strategy.parameters["layers"], spec.strategy.parameters["spread_bps"]) == (3, 9)
        assert spec.process.duration_s == 60
    with pytest.raises(UsageError, match="maker has its name"):
        find(workspace, "maker", over=said_by_flags({"name": "other"}, {}))


def test_what_is_applied_runs_as_it_is_and_flags_want_files_that_say_the_same(workspace: Workspace) -> None:
    write_generation(workspace, {"maker": bot_spec()})
    (workspace.bots / "maker.yaml").write_text(DECLARED)
    assert find(workspace, "maker", under={"strategy.spread_bps": "70"}) == bot_spec()
    with pytest.raises(Conflict, match=r"bots/maker\.yaml says something else than what is applied"):
        find(workspace, "maker", over=said_by_flags({"duration": "60"}, {}))
    write_generation(workspace, {"maker": find_declared(workspace)})
    assert find(workspace, "maker", over=said_by_flags({"duration": "60"}, {})).process.duration_s == 60
    with pytest.raises(UsageError, match="on another account or market, or with another strategy"):
        find(workspace, "maker", over=said_by_flags({"symbol": "BTC_USDC_PERP"}, {}))


def test_what_a_variable_decided_is_told_and_nothing_else(workspace: Workspace) -> None:
    (workspace.bots / "maker.yaml").write_text(DECLARED)
    under, told = {"strategy.layers": "3", "strategy.spread_bps": "70"}, list[str]()
    find_runnable(workspace, Wish(target="maker", under=under), told.append)
    assert [line for line in told if "environment" in line] == ["from the environment: strategy.layers: 3"]


def find_declared(workspace: Workspace) -> BotSpec:
    workspace.current.unlink()
    return find(workspace, "maker")


def test_a_file_of_several_bots_is_not_one(workspace: Workspace, tmp_path: Path) -> None:
    several = DECLARED.replace("name: maker", 'name: "maker-{{ n }}"').replace("layers", "n")
    (tmp_path / "several.yaml").write_text(several + "matrix: {n: [1, 2]}\n")
    with pytest.raises(UsageError, match="declares 2 bots"):
        find(workspace, "several.yaml")


@pytest.mark.parametrize(
    ("words", "kind", "hint"),
    [
        (["nobody"], UsageError, "botctl init"),
        (["nowhere.yaml"], UsageError, "botctl run NAME or FILE.yaml"),
        ([], UsageError, "--exchange backpack or"),
        (["--exchange", "binance"], UsageError, None),
        (["--exchange", "backpack", "--environment", "mainnet"], Refused, "botctl init"),
        (["--exchange", "backpack", "-C", "."], UsageError, "botctl init"),
    ],
)
def test_outside_a_workspace_only_what_can_be_simulated_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], kind: type[BotctlError], hint: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind) as error:
        cli.run(["run", *words])
    assert hint is None or hint in str(error.value.hint)
    assert list(tmp_path.iterdir()) == []


def test_an_invalid_setting_is_told_with_its_place_on_the_command_line(workspace: Workspace) -> None:
    over = said_by_flags({**FLAGS, "account": "main"}, {**SIZES, "strategy.layers": "many"})
    with pytest.raises(ConfigInvalid, match=r"command line:\d+:11: error: strategy.layers must be a whole number"):
        find(workspace, over=over)
