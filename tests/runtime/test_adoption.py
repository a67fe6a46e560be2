"""A bot's first start beside a position, with real processes: it asks, and does as a person says, for good."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

import cli
from engine.errors import BotctlError, Refused
from engine.spec.types import BotSpec, StrategySpec
from tests.fleets import STRATEGY, bot_spec
from tests.runtime.conftest import Stage, until

OF_SPOT = {"capital", "base_target_pct", "rebalance_threshold_pct", "rebalance_slippage_bps"}
RESTING = 2 * STRATEGY["layers"]
Start = Callable[[], tuple[subprocess.Popen[str], str]]


def perp(name: str, spread_bps: int = 4) -> BotSpec:
    """Two bots of one market; only one of them runs at a time."""
    parameters = {
        **{name: value for name, value in STRATEGY.items() if name not in OF_SPOT},
        "spread_bps": spread_bps,
        "inventory_skew": 0,
        "target_position": 0,
    }
    strategy = StrategySpec(kind="perp_market_maker", parameters=parameters)
    return replace(bot_spec(name, market="SOL_USDC_PERP"), strategy=strategy)


@pytest.fixture
def beside(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Leaves a position on the market, made by a bot that is gone, and starts another one there; gives that one's
    process, and the position's size."""
    for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, stage.environment[name])

    def start() -> tuple[subprocess.Popen[str], str]:
        stage.apply(perp("maker"), perp("twin"))
        stage.simulate()
        twin = stage.engine("twin")
        until(lambda: Decimal(stage.leg("twin").get("position", "0")))
        twin.send_signal(signal.SIGTERM)
        assert twin.communicate(timeout=30) == ("", "")
        maker = stage.engine()
        return maker, str(until(lambda: (size := stage.leg().get("unexplained", "0")) != "0" and size))

    return start


def botctl(stage: Stage, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    (stage.workspace.root / "bots").mkdir(exist_ok=True)
    (stage.workspace.root / "bots" / "fleet.yaml").write_text("id: test\n", encoding="utf-8")
    assert not cli.run([*arguments, "-C", str(stage.workspace.root)])
    return capsys.readouterr().out


def settled(stage: Stage) -> dict[str, Any]:
    """Wait until the bot quotes, and its books and the venue's figure agree."""

    def agrees(leg: dict[str, Any]) -> bool:
        figures = [leg.get(name) for name in ("venue_position", "ignored", "position")]
        if not leg.get("orders") or leg["unexplained"] != "0" or None in figures:
            return False
        there, ignored, own = (Decimal(str(figure)) for figure in figures)
        return there - ignored == own

    return dict(until(lambda: agrees(leg := stage.leg()) and leg))


def test_an_adopted_position_is_the_bots_own_also_after_a_kill(
    stage: Stage, beside: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    maker, size = beside()
    with pytest.raises(Refused, match="nobody can be asked"):
        botctl(stage, capsys, "adopt", "maker")
    assert size in capsys.readouterr().out
    assert "in its books" in botctl(stage, capsys, "adopt", "maker", "--yes", "--price", "180.5")
    settled(stage)
    maker.kill()
    maker.communicate()
    stage.engine()
    assert settled(stage)["ignored"] == "0"
    assert "every position is explained" in botctl(stage, capsys, "adopt", "--yes")


def test_beside_an_ignored_position_a_bot_trades_on_also_after_a_kill(
    stage: Stage, beside: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    maker, size = beside()
    with pytest.raises(BotctlError, match="by now, not 12345"):
        stage.ask("ignore", leg="main", size="12345")
    with pytest.raises(BotctlError, match="no leg 'second'"):
        stage.ask("adopt", leg="second", size=size)
    with pytest.raises(BotctlError, match="is no price of SOL_USDC_PERP"):
        stage.ask("adopt", leg="main", size=size, price="180.50001")
    assert "none of its business" in botctl(stage, capsys, "ignore", "maker", "--yes")
    settled(stage)
    maker.kill()
    maker.communicate()
    stage.engine()
    assert settled(stage)["ignored"] == size


def test_orders_of_others_are_told_and_left_alone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, stage.environment[name])
    stage.apply(perp("twin", spread_bps=600))  # too far away to be filled meanwhile
    stage.simulate()
    twin = stage.engine("twin")
    until(lambda: stage.leg("twin").get("orders") == RESTING)
    twin.kill()
    twin.communicate()
    declare(stage, "twin")
    assert told_of_orders(stage, capsys) == (0, 0)
    declare(stage, "maker")
    assert told_of_orders(stage, capsys) == (2, RESTING)
    assert told_of_orders(stage, capsys) == (2, RESTING)


def declare(stage: Stage, name: str) -> None:
    folder = stage.workspace.root / "bots"
    folder.mkdir(exist_ok=True)
    (folder / "fleet.yaml").write_text(
        "id: test\naccounts: {main: {venue: backpack, environment: sim, balances: {USDC: 100000, SOL: 1000}}}\n",
        encoding="utf-8",
    )
    (folder / "bot.yaml").write_text(
        f"metadata: {{name: {name}}}\nexchange: {{account: main, market: SOL_USDC_PERP}}\n"
        "strategy: {kind: perp_market_maker, spread_bps: 4, order_size: 0.4}\nrisk: {max_position: 50}\n",
        encoding="utf-8",
    )


def told_of_orders(stage: Stage, capsys: pytest.CaptureFixture[str]) -> tuple[int, int]:
    """The exit code, and how many orders were listed."""
    capsys.readouterr()
    code = cli.run(["adopt", "--orders", "-C", str(stage.workspace.root)])
    return code, capsys.readouterr().out.count("main     SOL_USDC_PERP")
