"""`botctl account reconcile` over the wire of a simulated venue, with a journal as a bot leaves it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import cli
from engine.control.reconcile import journal_of
from engine.control.venue_questions import open_counter
from engine.host.endpoints import SimEndpoint, write_sim_endpoint
from engine.host.workspace import Workspace
from engine.model.account import Fill
from engine.model.ids import ClientIdScheme
from engine.model.order import Liquidity, Side
from engine.runtime.journal import JournalLeg, JournalOwner, open_journal
from engine.sim.network import VirtualNetwork
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import VirtualWorld
from engine.spec.types import SimSpec
from engine.trading.records import FillRecord
from tests.judges.waiting import eventually
from tests.late import late
from tests.sim.served import BALANCES, Served, served, sim_spec

bpx = late("bpx.account")

MARKET = "SOL_USDC_PERP"
BOT = f"""metadata: {{name: sol}}
exchange: {{account: alice, market: {MARKET}}}
strategy: {{kind: perp_market_maker, spread_bps: 10, order_size: 1}}
risk: {{max_position: 5}}
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    with opened(tmp_path, monkeypatch, sim_spec("alice")) as (workspace, _):
        yield workspace


@contextmanager
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: SimSpec) -> Iterator[tuple[Workspace, Served]]:
    """A workspace with one bot, and its account's venue as the spec says."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "host"))
    balances = ", ".join(f"{asset}: {amount}" for asset, amount in BALANCES.items())
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "fleet.yaml").write_text(
        f"id: judges\naccounts:\n  alice: {{venue: backpack, environment: sim, balances: {{{balances}}}}}\n"
    )
    (tmp_path / "bots" / "sol.yaml").write_text(BOT)
    workspace = Workspace(root=tmp_path)
    with served(spec) as venue:
        address = SimEndpoint(instance="one", rest_url=venue.rest_url, ws_url=venue.ws_url, pid=os.getpid())
        write_sim_endpoint(workspace, "backpack", address)
        yield workspace, venue


def reconciled(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = cli.run(["account", "reconcile", "-C", str(workspace.root), "--json"])
    [found] = json.loads(capsys.readouterr().out)
    return code, found


def write_down(workspace: Workspace, fill: Fill) -> None:
    """Put a fill into the bot's journal that the venue never heard of."""
    counter = open_counter(workspace, "alice")
    file = journal_of(counter, counter.bots[0])
    loop = VirtualLoop()
    world = VirtualWorld(VirtualNetwork(loop, {}, seed=1), seed=1)
    leg = JournalLeg(market=MARKET, client_ids=ClientIdScheme(tag_bits=8, sequence_bits=24))
    owner = JournalOwner(fleet_id="judges", bot="sol", identity=file.stem)
    journal = open_journal(world, file, owner, {"main": leg})
    journal.commit([FillRecord(leg="main", slot="bid.0", fill=fill)])
    journal.close()
    loop.close()


def test_an_account_that_nobody_traded_on_is_explained(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = reconciled(workspace, capsys)
    assert (code, found["explained"], found["balances"]) == (0, True, [])
    assert found["markets"][0]["unexplained_position"] == "0"


def test_a_fill_that_only_the_journal_has_is_named_and_ends_with_2(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    fill = Fill(
        trade_id="41",
        venue_order_id="7",
        client_id=1,
        side=Side.BUY,
        ticks=15_000,
        lots=100,
        fee=Decimal("0.01"),
        fee_asset="USDC",
        liquidity=Liquidity.MAKER,
        at_ns=2**62,
    )
    write_down(workspace, fill)
    code, found = reconciled(workspace, capsys)
    assert (code, found["explained"]) == (2, False)
    [market] = found["markets"]
    assert market["missing_at_venue"] == ["41"]
    assert Decimal(market["unexplained_position"]) == -Decimal(market["own_position"]) != 0
    [balance] = found["balances"]
    assert balance["asset"] == "USDC" and balance["change"] == "0" and Decimal(balance["unexplained"]) > 0
    cli.run(["account", "reconcile", "-C", str(workspace.root), "-a", "alice"])
    assert "NOT everything is explained" in capsys.readouterr().out


def test_what_a_position_was_paid_in_funding_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bought and sold by hand, and held in between: without funding the quote would not add up."""
    paying = replace(sim_spec("alice", speed="4"), funding_interval_s=1, funding_rate=Decimal("0.01"))
    with opened(tmp_path, monkeypatch, paying) as (workspace, venue):
        mine = bpx.Account(*venue.accounts["alice"])
        mine.BPX_API_URL = f"{venue.rest_url}/"
        mine.execute_order(MARKET, "Bid", "Market", quantity="1")
        eventually(lambda: len(mine.get_funding_payments()) >= 2)
        mine.execute_order(MARKET, "Ask", "Market", quantity="1", reduce_only=True)
        code, found = reconciled(workspace, capsys)
    [market], [balance] = found["markets"], found["balances"]
    assert (code, found["explained"], balance["unexplained"]) == (0, True, "0")
    assert Decimal(market["funding"]) == Decimal(balance["funding"]) < -2
    assert market["own_funding"] == "0"
