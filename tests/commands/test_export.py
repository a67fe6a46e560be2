"""Every fill and payment, as bots left them in their journals."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import cli
from engine.errors import UsageError
from engine.host.workspace import Workspace
from tests.commands.test_stats import leave_journal, workspace

__all__ = ["workspace"]


def exported(workspace: Workspace, capsys: pytest.CaptureFixture[str], *flags: str) -> str:
    assert cli.run(["export", "-C", str(workspace.root), *flags]) == 0
    return capsys.readouterr().out


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_each_fill_is_a_line_with_what_it_realised_and_what_it_left(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_journal(workspace)
    bought, sold = rows(exported(workspace, capsys))
    assert (bought["side"], bought["price"], bought["size"], bought["quote_amount"]) == ("buy", "100", "0.1", "10")
    assert (bought["realised_pnl"], bought["position"], bought["kind"]) == ("0", "0.1", "fill")
    assert (sold["price"], sold["realised_pnl"], sold["position"]) == ("101", "0.05", "0.05")
    assert (sold["fee"], sold["fee_asset"], sold["liquidity"]) == ("-0.001", "USDC", "maker")
    assert {row["bot"] for row in (bought, sold)} == {"maker"}
    assert (bought["at"], bought["trade_id"], bought["journal"]) == ("1970-01-01T00:00:01.000Z", "1", "x")


def test_the_lines_add_up_to_the_statistics(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    leave_journal(workspace)
    lines = rows(exported(workspace, capsys))
    assert cli.run(["stats", "-C", str(workspace.root), "--json"]) == 0
    total: dict[str, Any] = json.loads(capsys.readouterr().out)[0]["legs"]["main"]["total"]
    assert sum(Decimal(line["realised_pnl"]) for line in lines) == Decimal(total["realised_pnl"])
    assert sum(Decimal(line["fee"]) for line in lines) == Decimal(total["fees"]["USDC"])
    assert sum(Decimal(line["quote_amount"]) for line in lines) == Decimal(total["quote_volume"])


def test_json_lines_have_what_there_is(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    leave_journal(workspace)
    first, _ = map(json.loads, exported(workspace, capsys, "--format", "jsonl").splitlines())
    assert first["client_id"] == "1"
    assert "funding" not in first


@pytest.mark.parametrize(
    ("flags", "count"),
    [(["--since", "1970-01-01"], 2), (["--since", "1971-01-01"], 0), (["--until", "1970-01-01T00:00:01"], 0)],
)
def test_times_choose(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], flags: list[str], count: int
) -> None:
    leave_journal(workspace)
    assert len(rows(exported(workspace, capsys, *flags))) == count


def test_nothing_traded_is_a_head_alone(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert exported(workspace, capsys).startswith("at,kind,bot,")
    assert exported(workspace, capsys, "--format", "jsonl") == ""


def test_a_file_is_written(workspace: Workspace, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    leave_journal(workspace)
    assert exported(workspace, capsys, "-o", str(tmp_path / "fills.csv"), "maker") == ""
    assert len(rows((tmp_path / "fills.csv").read_text())) == 2


@pytest.mark.parametrize(
    ("flags", "words"), [(["nobody"], "no journal of nobody"), (["--since", "soon"], "--since soon: no time")]
)
def test_what_cannot_be_meant_is_refused(workspace: Workspace, flags: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        cli.run(["export", "-C", str(workspace.root), *flags])
