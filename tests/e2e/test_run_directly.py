"""`botctl run` in an empty folder: everything it needs is made, and removed again."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.host.process import start_of
from tests.e2e.botctl import BOTCTL, Botctl, until

pytestmark = pytest.mark.timeout(180)

FLAGS = ("--exchange", "backpack", "--symbol", "SOL_USDC", "--strategy", "market_maker")
SIZES = (
    *("--set", "strategy.spread_bps=8"),
    *("--set", "strategy.order_size=1"),
    *("--set", "strategy.capital={base: 100, quote: 20000}"),
)
RUN = ("run", *FLAGS, *SIZES)


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Botctl:
    """An empty folder, and no temporary files but those of the test; its path is short, for sockets."""
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return Botctl(tmp_path / "here")


def left(nowhere: Botctl) -> list[Path]:
    return list(nowhere.root.parent.glob("botctl-run-*"))


def test_flags_alone_trade_in_an_empty_folder_for_their_duration_and_leave_nothing(nowhere: Botctl) -> None:
    told = nowhere(*RUN, "--duration", "6")
    assert "play money" in told and "stopped  why=duration is over" in told
    assert "main-sol-usdc-market-maker: SOL_USDC: " in told
    assert left(nowhere) == [] and list(nowhere.root.iterdir()) == []


def test_a_file_runs_in_an_empty_folder_as_the_account_it_names(nowhere: Botctl) -> None:
    nowhere.write(
        "sol.yaml",
        "metadata: {name: sol}\n"
        "exchange: {venue: backpack, account: mine, market: SOL_USDC_PERP}\n"
        "strategy: {kind: perp_market_maker, spread_bps: 8, order_size: 1}\n"
        "risk: {max_position: 10}\n",
    )
    assert "sol: SOL_USDC_PERP: " in nowhere("run", "sol.yaml", "--duration", "2s")
    assert left(nowhere) == []


def test_ctrl_c_ends_bot_and_simulator_cleanly(nowhere: Botctl) -> None:
    process = subprocess.Popen(
        [str(BOTCTL), *RUN], cwd=nowhere.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until(lambda: [journal for place in left(nowhere) for journal in place.glob(".botctl/journals/*/*.sqlite")])
    process.send_signal(signal.SIGINT)
    said, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert "stopped  why=SIGINT" in told or "ended before it traded" in said
    assert left(nowhere) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a process to its parent")
def test_a_simulator_does_not_outlive_a_run_that_was_killed(nowhere: Botctl) -> None:
    process = subprocess.Popen(
        [str(BOTCTL), *RUN], cwd=nowhere.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until(lambda: [file for place in left(nowhere) for file in place.glob(".botctl/sim/backpack.json")])
    (endpoint,) = (file for place in left(nowhere) for file in place.glob(".botctl/sim/backpack.json"))
    pid = int(endpoint.read_text().partition('"pid":')[2].partition(",")[0])
    process.kill()
    process.wait()
    until(lambda: start_of(pid) is None)
