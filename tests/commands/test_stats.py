"""`botctl stats` of bots without an engine, from journals as bots leave them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import cli
from engine.control.statistics import engine_statistics
from engine.errors import UsageError
from engine.host.workspace import Workspace
from engine.model.account import Fill
from engine.model.ids import ClientIdScheme
from engine.model.instrument import Instrument
from engine.model.order import Liquidity, Side
from engine.runtime.journal import JournalLeg, JournalOwner, open_journal
from engine.spec.grid import make_cell
from engine.trading.records import FillRecord, RunRecord, TallyCounts, TallyRecord
from engine.transport.live import LiveWorld
from tests.fleets import bot_spec, write_generation
from tests.trading.desk_bench import SPOT

CELL = make_cell(Side.BUY, 10_000, 10_100, 10)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "fleet.yaml").touch()
    workspace = Workspace(root=tmp_path)
    write_generation(workspace, {"maker": bot_spec("maker", market=SPOT.symbol)})
    return workspace


def leave_journal(workspace: Workspace, instrument: Instrument = SPOT) -> None:
    """A bot bought in its first run and sold half of it in its second, then died."""
    legs = {"main": JournalLeg(market=instrument.symbol, client_ids=ClientIdScheme(tag_bits=8, sequence_bits=24))}
    owner = JournalOwner(fleet_id="demo", bot="maker", identity="x")
    journal = open_journal(LiveWorld(), workspace.journals / "maker" / "x.sqlite", owner, legs)
    run = RunRecord(leg="main", number=2, first_ns=0, started_ns=10**9, counted_before=1, instrument=instrument)
    counts = {"placed": 4, "canceled": 1, "filled": 1, "ended_lots": 20, "executed_lots": 15}
    tally = TallyRecord(leg="main", total=TallyCounts(counts=counts), run=TallyCounts(counts={"placed": 1}))
    bought, sold = fill(Side.BUY, 10_000, 10, "1"), fill(Side.SELL, 10_100, 5, "2")
    journal.commit(
        [
            FillRecord(leg="main", slot=CELL.open_slot, fill=bought),
            FillRecord(leg="main", slot=CELL.close_slot, fill=sold),
            run,
            tally,
        ]
    )
    journal.close()


def fill(side: Side, ticks: int, lots: int, trade: str) -> Fill:
    return Fill(
        trade_id=trade,
        venue_order_id="v",
        client_id=1,
        side=side,
        ticks=ticks,
        lots=lots,
        fee=Decimal("-0.001"),
        fee_asset="USDC",
        liquidity=Liquidity.MAKER,
        at_ns=10**9,
    )


def shown(workspace: Workspace, capsys: pytest.CaptureFixture[str], *flags: str) -> str:
    assert cli.run(["stats", "-C", str(workspace.root), *flags]) == 0
    return capsys.readouterr().out


def test_what_a_dead_bots_journal_tells(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    leave_journal(workspace)
    [bot] = json.loads(shown(workspace, capsys, "--json"))
    leg: dict[str, Any] = bot["legs"]["main"]
    assert (bot["source"], bot["why"]) == ("journal", "its engine does not answer")
    assert (leg["runs"], leg["position"], leg["entry_price"], leg["unrealised_pnl"]) == (2, "0.05", "100", None)
    total, run = leg["total"], leg["run"]
    assert (total["bought"], total["sold"], run["bought"], run["sold"]) == ("0.1", "0.05", "0", "0.05")
    assert (total["quote_volume"], total["volume"]["maker"]["sell"], run["quote_volume"]) == (
        "15.05",
        "5.05",
        "5.05",
    )
    assert (total["realised_pnl"], run["realised_pnl"], total["grid_profit"]) == ("0.05", "0.05", "0.05")
    assert (total["fees"], run["rebates"]) == ({"USDC": "-0.002"}, {"USDC": "0.001"})
    assert (total["since"], run["since"]) == ("1970-01-01T00:00:00.000Z", "1970-01-01T00:00:01.000Z")
    assert (total["fill_ratio"], run["fill_ratio"], run["orders"]["placed"]) == ("0.75", None, 1)
    assert [(level["held"], level["rounds"]) for level in leg["levels"]] == [("0.05", 0)]


def test_the_text_says_where_it_is_from_and_shows_both_spans(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_journal(workspace)
    lines = shown(workspace, capsys, "maker").splitlines()
    assert lines[0] == "maker: market_maker, from its journal: its engine does not answer"
    assert lines[1] == "main: backpack SOL_USDC, position 0.05 SOL, entered at 100, run 2"
    rows = [" ".join(line.split()) for line in lines]
    assert {"bought SOL 0.1 0", "fill ratio 0.75 -", "orders placed 4 1"} <= set(rows)
    assert any(line.startswith("buy") and line.split()[1:3] == ["100", "101"] for line in lines), "the grid's level"


def test_a_bot_that_never_ran_has_nothing_to_show(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(workspace, capsys).splitlines()[1] == "nothing traded yet"
    [bot] = json.loads(shown(workspace, capsys, "--json"))
    assert (bot["legs"], bot["total"]) == ({}, None)


def test_a_bot_that_is_not_applied_is_named(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="not applied: mkaer"):
        cli.run(["stats", "mkaer", "-C", str(workspace.root)])


def test_without_a_generation_it_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "fleet.yaml").touch()
    assert "botctl plan" in shown(Workspace(root=tmp_path), capsys)


def test_of_a_bot_whose_engine_is_gone_metrics_know_nothing_and_read_no_journal(workspace: Workspace) -> None:
    leave_journal(workspace)
    (workspace.journals / "maker" / "x.sqlite").write_bytes(b"damaged")
    assert engine_statistics(workspace, {"maker": bot_spec("maker", market=SPOT.symbol)}) == ()
