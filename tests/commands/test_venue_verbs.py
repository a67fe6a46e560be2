"""`botctl market` and `botctl account` against a simulated venue of the workspace."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import cli
from engine.control.account_checkup import account_checkup
from engine.control.finding import Grade
from engine.errors import ConfigInvalid, Unavailable, UsageError
from engine.exchanges.backpack.venue import Backpack
from engine.host.endpoints import SimEndpoint, write_sim_endpoint
from engine.host.workspace import Workspace
from engine.spec.types import SimSpec
from tests.judges.waiting import eventually
from tests.sim import served as served_module
from tests.sim.served import served

FLEET = """id: judges
accounts:
  alice: {venue: backpack, environment: sim, balances: {USDC: 777}}
  bob: {venue: backpack, environment: sim, balances: {USDC: 777}}
"""
BOT = """metadata: {name: sol}
exchange: {account: alice, market: SOL_USDC_PERP}
strategy: {kind: perp_market_maker, spread_bps: 10, order_size: 1}
risk: {max_position: 5}
"""
Ask = Callable[..., list[dict[str, Any]]]


def spec() -> SimSpec:
    return SimSpec(
        venue="backpack",
        seed=1,
        speed=Decimal(20),
        latency_ms=0,
        taker_delay_ms=0,
        recording=None,
        accounts=dict.fromkeys(("alice", "bob"), served_module.BALANCES),
    )


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "host"))
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "fleet.yaml").write_text(FLEET)
    return Workspace(root=tmp_path)


@pytest.fixture
def ask(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> Iterator[Ask]:
    def run(*words: str) -> list[dict[str, Any]]:
        capsys.readouterr()
        assert cli.run([*words, "-C", str(workspace.root), "--json"]) == 0
        answer: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
        return answer

    with served(spec()) as venue:
        address = SimEndpoint(instance="one", rest_url=venue.rest_url, ws_url=venue.ws_url, pid=os.getpid())
        write_sim_endpoint(workspace, "backpack", address)
        yield run


def test_markets_are_listed_and_told_of(ask: Ask) -> None:
    listed = {row["market"]: row for row in ask("market", "list", "-a", "alice")}
    assert listed["SOL_USDC"]["kind"] == "spot" and listed["SOL_USDC_PERP"]["kind"] == "perp"
    [info] = ask("market", "info", "SOL_USDC", "-a", "alice")
    assert (info["base"], info["quote"], info["tick_size"]) == ("SOL", "USDC", "0.01")


def test_a_book_is_shown_from_the_highest_ask_down(ask: Ask) -> None:
    rows = ask("market", "book", "SOL_USDC", "-a", "alice")
    prices = [Decimal(row["price"]) for row in rows]
    assert prices == sorted(prices, reverse=True)
    assert {row["side"] for row in rows} == {"ask", "bid"}


def test_a_market_is_analysed_and_what_is_not_known_is_null(ask: Ask) -> None:
    [found] = ask("market", "analyse", "SOL_USDC", "-a", "alice")
    assert found["spread_bps"] > 0 and -1 <= found["imbalance"] <= 1
    assert found["volatility_bps_per_minute"] is None
    for candle in ask("market", "klines", "SOL_USDC", "-a", "alice"):
        assert Decimal(candle["low"]) <= Decimal(candle["close"]) <= Decimal(candle["high"])


@pytest.mark.parametrize("venue", ["aster", "aster-spot"])
def test_candles_of_asters_venues_are_told(
    venue: str, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace.bots / "fleet.yaml").write_text(
        f"id: judges\naccounts: {{a: {{venue: {venue}, balances: {{USDT: 9}}}}}}\n"
    )
    with served(replace(spec(), venue=venue)) as running:
        address = SimEndpoint(instance="one", rest_url=running.rest_url, ws_url=running.ws_url, pid=os.getpid())
        write_sim_endpoint(workspace, venue, address)
        first = eventually(lambda: candles(workspace, capsys))[0]
    assert Decimal(first["low"]) <= Decimal(first["open"]) <= Decimal(first["high"])


def candles(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    cli.run(["market", "klines", "SOLUSDT", "-C", str(workspace.root), "--json"])
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_an_account_tells_balances_positions_orders_and_fills(ask: Ask) -> None:
    balances = {
        row["asset"]: row["total"] for row in ask("account", "balances", "-a", "bob", "--market", "SOL_USDC")
    }
    assert (balances["USDC"], balances["SOL"]) == ("100000", "100")
    for what in ("positions", "orders", "fills"):
        assert isinstance(ask("account", what, "-a", "bob", "--market", "SOL_USDC_PERP"), list)


def test_an_account_tells_its_collateral_and_where_deposits_go(ask: Ask) -> None:
    [found] = ask("account", "collateral", "-a", "bob", "--market", "SOL_USDC_PERP")
    assert (found["asset"], found["equity"], found["maintenance_margin"]) == ("USDC", "100000", None)
    assert Decimal(found["available"]) + Decimal(found["initial_margin"]) == Decimal(found["equity"])
    asked = ("account", "deposit-address", "-a", "bob", "--market", "SOL_USDC")
    [told] = ask(*asked, "--blockchain", "Solana")
    assert told["blockchain"] == "Solana" and told["address"].startswith("simulated-Solana-")
    with pytest.raises(UsageError, match="belongs to a blockchain"):
        ask(*asked)


def test_without_a_market_the_bots_of_the_account_say_which(ask: Ask, workspace: Workspace) -> None:
    (workspace.bots / "sol.yaml").write_text(BOT)
    assert ask("account", "orders", "-a", "alice") == []
    with pytest.raises(UsageError, match="no bot trades on bob"):
        cli.run(["account", "orders", "-a", "bob", "-C", str(workspace.root)])


def test_for_people_there_are_tables(ask: Ask, workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    cli.run(["market", "list", "-a", "alice", "-C", str(workspace.root)])
    assert capsys.readouterr().out.startswith("MARKET")
    cli.run(["account", "orders", "-a", "alice", "--market", "SOL_USDC", "-C", str(workspace.root)])
    assert capsys.readouterr().out == "none\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["market", "book", "SOL_USDC"], UsageError),
        (["market", "book", "-a", "alice"], UsageError),
        (["market", "list", "-a", "carol"], UsageError),
        (["market", "list", "-a", "alice"], Unavailable),
    ],
)
def test_what_cannot_be_asked_is_said(workspace: Workspace, words: list[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        cli.run([*words, "-C", str(workspace.root)])


def test_doctor_finds_good_keys_and_says_what_the_account_may_ask(ask: Ask, workspace: Workspace) -> None:
    (workspace.bots / "sol.yaml").write_text(BOT)
    left_alone = "not covered: when this host is lost, its orders go on resting; backpack has no dead man's switch"
    found = {finding.what.partition(": ")[2]: finding.grade for finding in account_checkup(workspace)}
    assert found == {
        "all 1 markets of its bots are listed": Grade.OK,
        "what signs passes its self-check": Grade.OK,
        "its keys are accepted": Grade.OK,
        "2000 requests a minute for 1 markets": Grade.OK,
        left_alone: Grade.OK,
    }


def test_doctor_has_the_signer_check_itself_and_says_when_it_is_not_to_be_trusted(
    ask: Ask, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace.bots / "sol.yaml").write_text(BOT)

    def broken(_venue: Backpack) -> None:
        raise ConfigInvalid("the signer signs wrongly")

    monkeypatch.setattr(Backpack, "self_check", broken, raising=False)
    failed = [finding.what for finding in account_checkup(workspace) if finding.grade is Grade.FAIL]
    assert len(failed) == 1 and "the signer signs wrongly" in failed[0]
    monkeypatch.setattr(Backpack, "self_check", lambda _venue: None, raising=False)
    assert any("passes its self-check" in finding.what for finding in account_checkup(workspace))


@pytest.mark.parametrize(
    ("declared", "words"),
    [("", "no dead man's switch set"), ("exclusive: true, dead_mans_switch_s: 600, ", "cancelled after 600 s")],
)
def test_doctor_says_whether_a_dead_mans_switch_watches_over_an_account(
    workspace: Workspace, declared: str, words: str
) -> None:
    fleet = (
        f"id: judges\naccounts:\n  alice: {{venue: aster, {declared}environment: sim, balances: {{USDT: 777}}}}\n"
    )
    (workspace.bots / "fleet.yaml").write_text(fleet)
    (workspace.bots / "sol.yaml").write_text(BOT.replace("SOL_USDC_PERP", "BTCUSDT"))
    assert any(words in finding.what for finding in account_checkup(workspace))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("", "paradex has no dead man's switch, and its cancel_on_disconnect is off"),
        (
            "options: {order_entry: websocket, cancel_on_disconnect: true}, ",
            "what its bots placed on the sockets that go with it; not covered: what was placed by REST",
        ),
    ],
)
def test_doctor_says_what_cancel_on_disconnect_covers(workspace: Workspace, options: str, words: str) -> None:
    fleet = f"id: judges\naccounts:\n  alice: {{venue: paradex, {options}balances: {{USDC: 777}}}}\n"
    (workspace.bots / "fleet.yaml").write_text(fleet)
    (workspace.bots / "sol.yaml").write_text(BOT.replace("SOL_USDC_PERP", "SOL-USD-PERP"))
    assert any(words in finding.what for finding in account_checkup(workspace))


def test_doctor_finds_keys_the_venue_refuses(ask: Ask, workspace: Workspace) -> None:
    (workspace.bots / "fleet.yaml").write_text(FLEET.replace("id: judges", "id: strangers"))
    (workspace.bots / "sol.yaml").write_text(BOT)
    failed = [finding.what for finding in account_checkup(workspace) if finding.grade is Grade.FAIL]
    assert len(failed) == 1 and "keys are refused" in failed[0]


def test_a_market_the_venue_does_not_list_is_an_error(ask: Ask, workspace: Workspace) -> None:
    with pytest.raises(ConfigInvalid, match="lists no market"):
        cli.run(["market", "info", "DOGE_USDC", "-a", "alice", "-C", str(workspace.root)])
