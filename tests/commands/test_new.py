"""`botctl new`: every question by its flag, without a terminal; and what it never does."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

import cli
from engine.errors import BotctlError, ConfigInvalid, Refused, UsageError
from engine.host.endpoints import SimEndpoint, write_sim_endpoint
from engine.host.workspace import Workspace
from tests.judges.waiting import eventually
from tests.sim.served import served, sim_spec

FLEET = """\
id: judges
accounts:
  alice: {venue: backpack, balances: {USDC: 1000}}
  bob: {venue: backpack, balances: {USDC: 1000}}
  dex: {venue: aster, balances: {USDT: 1000}}
"""
TAKEN = """\
metadata: {name: sol}
exchange: {account: alice, market: SOL_USDC_PERP}
strategy: {kind: perp_market_maker, spread_bps: 10, order_size: 1}
risk: {max_position: 5}
"""
ASTER = ("--exchange", "aster", "--symbol", "SOLUSDT", "--strategy", "perp_grid", "--yes")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "host"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "fleet.yaml").write_text(FLEET)
    (tmp_path / "bots" / "sol.yaml").write_text(TAKEN)
    return Workspace(root=tmp_path)


def files(workspace: Workspace) -> dict[str, str]:
    return {path.name: path.read_text() for path in workspace.bots.iterdir()}


def test_flags_write_a_bot_that_is_valid_and_show_it(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["new", *ASTER, "--set", "strategy.levels=5"]) == 0
    said = capsys.readouterr()
    written = (workspace.bots / "solusdt.yaml").read_text()
    assert said.out == written and "`botctl plan`" in said.err
    bot = yaml.safe_load(written)
    assert bot["exchange"] == {"account": "dex", "market": "SOLUSDT"}
    assert (bot["strategy"]["levels"], bot["strategy"]["auto_range_pct"]) == (5, 2)
    assert cli.run(["validate"]) == 0


def test_a_strategy_that_hedges_has_flags_for_its_other_leg(workspace: Workspace) -> None:
    hedge = ("--hedge-account", "dex", "--hedge-symbol", "BTCUSDT")
    first = ("--account", "bob", "--symbol", "BTC_USDC_PERP", "--strategy", "maker_taker_hedge")
    assert cli.run(["new", "pair", *first, *hedge, "--yes"]) == 0
    legs = yaml.safe_load((workspace.bots / "pair.yaml").read_text())["exchange"]["legs"]
    assert legs["hedge"] == {"account": "dex", "market": "BTCUSDT"}
    assert cli.run(["validate"]) == 0


def test_an_account_is_added_only_when_that_is_said(workspace: Workspace) -> None:
    words = ["new", "--exchange", "paradex", "--account", "paper", "--symbol", "BTC-USD-PERP", "--yes"]
    words += ["--strategy", "perp_market_maker"]
    with pytest.raises(UsageError, match=r"fleet\.yaml has no account paper") as error:
        cli.run(words)
    assert "--add-account" in str(error.value.hint) and files(workspace)["fleet.yaml"] == FLEET
    assert cli.run([*words, "--add-account"]) == 0
    accounts = yaml.safe_load(files(workspace)["fleet.yaml"])["accounts"]
    assert accounts["paper"] == {"venue": "paradex", "environment": "sim", "balances": {"USDC": 100000}}
    assert cli.run(["validate"]) == 0


def test_spread_and_sizes_come_from_the_market_where_it_answers(workspace: Workspace) -> None:
    words = ["new", "spot", "--account", "bob", "--symbol", "SOL_USDC", "--strategy", "market_maker", "--yes"]
    with served(sim_spec("alice", "bob", speed="20")) as venue:
        address = SimEndpoint(instance="one", rest_url=venue.rest_url, ws_url=venue.ws_url, pid=os.getpid())
        write_sim_endpoint(workspace, "backpack", address)
        eventually(lambda: cli.run(["market", "analyse", "SOL_USDC", "-a", "bob"]) == 0)
        assert cli.run(words) == 0
    strategy = yaml.safe_load(files(workspace)["spot.yaml"])["strategy"]
    assert Decimal(50) < Decimal(str(strategy["capital"]["quote"])) / 10 < Decimal(150)


@pytest.mark.parametrize(
    ("words", "kind", "said", "hint"),
    [
        ((), UsageError, "--exchange, --symbol, --strategy, --yes are missing", "--yes"),
        (ASTER[:-1], UsageError, "--yes is missing", "--yes"),
        (("--exchange", "astre", *ASTER[2:]), UsageError, "no such venue", "`aster`"),
        ((*ASTER[:2], "--symbol", "SOLUSD", *ASTER[4:]), UsageError, "no such market of aster", "`SOLUSDT`"),
        (
            (*ASTER[:4], "--strategy", "grid", "--yes"),
            UsageError,
            "no such strategy for a perp market",
            "`perp_grid`",
        ),
        (("--exchange", "backpack", *ASTER[2:]), UsageError, "which account.* --account is missing", "alice, bob"),
        (
            ("--account", "alice", "--exchange", "aster", *ASTER[2:]),
            UsageError,
            "is at backpack, not at aster",
            "dex",
        ),
        (
            ("--account", "alice", "--symbol", "SOL_USDC_PERP", *ASTER[4:]),
            UsageError,
            "bot sol trades SOL_USDC_PERP",
            "another --symbol",
        ),
        (("sol", *ASTER), Refused, "bots/sol.yaml is there already", "another name"),
        (("../sol", *ASTER), Refused, "1 to 40 small letters", "another name"),
        ((*ASTER, "--set", "strategy.levels=1"), ConfigInvalid, "nothing was written", "--set"),
    ],
)
def test_what_is_missing_or_wrong_is_said_and_nothing_is_written(
    workspace: Workspace, words: tuple[str, ...], kind: type[BotctlError], said: str, hint: str
) -> None:
    before = files(workspace)
    with pytest.raises(kind, match=said) as error:
        cli.run(["new", *words])
    assert hint in str(error.value.hint)
    assert files(workspace) == before
