"""What people ask of Paradex: candles, collateral, its chain, and what a key may do."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

import cli
from engine.control.account_checkup import account_checkup
from engine.control.finding import Grade
from engine.errors import ProtocolError, Unavailable
from engine.exchanges.interface import Endpoints
from engine.exchanges.messages import HttpResponse
from engine.exchanges.paradex.chains import MAINNET, TESTNET
from engine.exchanges.paradex.keys import ACCOUNT, PRIVATE_KEY
from engine.exchanges.paradex.venue import Paradex
from engine.host.endpoints import SimEndpoint, write_sim_endpoint
from engine.host.workspace import Workspace
from tests.sim.served import served, sim_spec

FLEET = "id: judges\naccounts:\n  main: {venue: paradex, environment: sim, balances: {USDC: 777}}\n"
BOT = """metadata: {name: sol}
exchange: {account: main, market: SOL-USD-PERP}
strategy: {kind: perp_market_maker, spread_bps: 10, order_size: 1}
risk: {max_position: 5}
"""
VENUE = Paradex()
MAINNET_AT = VENUE.facts.endpoints["mainnet"]
SIMULATED_AT = Endpoints(rest_url="http://127.0.0.1", ws_url="ws://127.0.0.1")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "host"))
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "fleet.yaml").write_text(FLEET)
    (tmp_path / "bots" / "sol.yaml").write_text(BOT)
    workspace = Workspace(root=tmp_path)
    with served(sim_spec("main", venue="paradex", balances={"USDC": Decimal(777)}, speed="200")) as venue:
        address = SimEndpoint(instance="one", rest_url=venue.rest_url, ws_url=venue.ws_url, pid=os.getpid())
        write_sim_endpoint(workspace, "paradex", address)
        yield workspace


def config(**other: str) -> HttpResponse:
    told = {
        "starknet_chain_id": MAINNET.chain_id,
        "paraclear_account_hash": hex(MAINNET.account_hash),
        "paraclear_account_proxy_hash": hex(MAINNET.account_proxy_hash),
        "l1_chain_id": "1",
    }
    return HttpResponse(status=200, body=msgspec.json.encode({**told, **other}))


def test_collateral_and_candles_are_told(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["account", "collateral", "-C", str(workspace.root), "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)
    assert (found["asset"], found["equity"], found["available"]) == ("USDC", "777", "777")
    assert found["maintenance_margin"] == "0"
    assert cli.run(["market", "klines", "SOL-USD-PERP", "-C", str(workspace.root), "--json"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), list)
    with pytest.raises(Unavailable, match="does not tell a deposit address"):
        cli.run(["account", "deposit-address", "--blockchain", "Ethereum", "-C", str(workspace.root)])


def test_doctor_compares_the_chain(workspace: Workspace) -> None:
    found = list(account_checkup(workspace))
    assert any("chain is the one we sign for" in finding.what and finding.grade is Grade.OK for finding in found)


def test_candles_come_oldest_first_and_without_the_minutes_in_which_nothing_was_traded() -> None:
    rows = b"[[120000,3.5,4,3,3.75,0.25],[60000,2,2,2,2,0],[0,1.5,2,1,1.25,7]]"
    first, last = VENUE.decode_candles(HttpResponse(status=200, body=b'{"results":' + rows + b"}"))
    assert (first.start_ns, last.start_ns) == (0, 120_000_000_000)
    assert (last.open, last.high, last.low, last.close) == (Decimal("3.5"), 4, 3, Decimal("3.75"))
    assert (first.volume, last.volume) == (7, Decimal("0.25"))


def test_a_chain_that_is_the_one_we_sign_for_has_no_differences() -> None:
    assert VENUE.chain_differences(config(), MAINNET_AT) == ()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("starknet_chain_id", TESTNET.chain_id, "chain id"),
        ("paraclear_account_hash", "0x1", "account class hash"),
        ("paraclear_account_proxy_hash", "0x2", "account proxy class hash"),
        ("l1_chain_id", "5", "L1 chain id 5, not 1"),
    ],
)
def test_every_difference_of_a_chain_is_told(field: str, value: str, words: str) -> None:
    [told] = VENUE.chain_differences(config(**{field: value}), MAINNET_AT)
    assert words in told


def test_a_configuration_that_cannot_be_read_is_no_agreement() -> None:
    with pytest.raises(ProtocolError):
        VENUE.chain_differences(config(l1_chain_id="one"), MAINNET_AT)


def test_a_main_key_may_withdraw_and_a_subkey_may_not() -> None:
    main = VENUE.throwaway_credentials("main")
    assert VENUE.key_rights(main, SIMULATED_AT).can_withdraw
    other = VENUE.throwaway_credentials("subkey")
    subkey = {PRIVATE_KEY: other[PRIVATE_KEY], ACCOUNT: main[ACCOUNT]}
    assert VENUE.key_rights(subkey, SIMULATED_AT).can_withdraw is False
