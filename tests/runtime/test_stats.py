"""`botctl stats` beside a real engine on a simulated venue: while it runs, after kill -9, and in its next life."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

import cli
from tests.fleets import bot_spec
from tests.runtime.conftest import Stage, until

FIXED = ("fills", "bought", "sold", "quote_volume", "volume", "fees", "rebates", "realised_pnl", "orders", "equity")


def shown(stage: Stage, capsys: pytest.CaptureFixture[str], *flags: str) -> str:
    capsys.readouterr()
    root = stage.workspace.root
    (root / "bots").mkdir(exist_ok=True)
    (root / "bots" / "fleet.yaml").touch()
    assert cli.run(["stats", "-C", str(root), *flags]) == 0
    return capsys.readouterr().out


def statistics(stage: Stage, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    [bot] = json.loads(shown(stage, capsys, "--json"))
    return dict(bot)


def test_totals_survive_kill_9_and_a_new_run_begins_with_nothing(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.apply(bot_spec())
    stage.simulate()
    engine = stage.engine()
    until(lambda: stage.leg().get("fills", 0) >= 2)
    said = statistics(stage, capsys)
    assert (said["name"], said["source"], said["why"], said["hedge"]) == ("maker", "engine", "", None)
    total = said["legs"]["main"]["total"]
    assert Decimal(said["total"]["quote_volume"]) == Decimal(total["quote_volume"]) > 0
    assert total["orders"]["placed"] >= 6 and total["latency"]["submit_to_ack"]["count"] >= 6
    assert total["latency"]["book_to_send"]["count"] > 0
    assert total == {**said["legs"]["main"]["run"], "since": total["since"], "net_pnl": total["net_pnl"]}

    engine.kill()
    engine.wait()
    left = statistics(stage, capsys)
    leg = left["legs"]["main"]
    assert (left["source"], leg["total"]["net_pnl"], leg["runs"]) == ("journal", None, 1)
    assert {name: leg["total"][name] for name in FIXED} == {name: leg["run"][name] for name in FIXED}
    assert leg["total"]["fills"] >= total["fills"]
    text = shown(stage, capsys)
    assert "maker: market_maker, from its journal: its engine does not answer" in text
    assert "maker buy USDC" in text and "submit to ack ms" in text

    stage.engine()
    until(lambda: stage.leg().get("orders"))
    again = statistics(stage, capsys)["legs"]["main"]
    assert again["runs"] == 2 and again["total"]["since"] == leg["total"]["since"] != again["run"]["since"]
    assert again["total"]["orders"]["placed"] >= leg["total"]["orders"]["placed"]
    assert again["run"]["fills"] == again["total"]["fills"] - leg["total"]["fills"]
