"""A pair over two simulators of the fleet, of which one dies: what it has at the other one is not forgotten."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.control.backends.interface import Stop
from engine.control.backends.supervisor import supervisor_backend
from engine.host.endpoints import read_sim_endpoint
from tests.e2e.botctl import BOTCTL, Botctl, until

pytestmark = pytest.mark.timeout(300)

FLEET = """\
id: twofold
accounts:
  alpha: {venue: backpack, environment: sim, balances: {USDC: 100000}}
  far: {venue: paradex, environment: sim, balances: {USDC: 100000}}
sim:
  backpack: {seed: 7, speed: 4}
  paradex: {seed: 7, speed: 4}
"""
PAIR = """\
metadata: {name: pair}
exchange:
  legs:
    maker: {account: alpha, market: SOL_USDC_PERP}
    hedge: {account: far, market: SOL-USD-PERP}
strategy: {kind: maker_taker_hedge, order_size: 1, offset_ticks: 2, max_unhedged: 20}
risk: {max_position: 20}
"""


@pytest.fixture
def pair() -> Iterator[Botctl]:
    """Trading."""
    root = Path(tempfile.mkdtemp(prefix="botctl pair-"))
    (root / "bots").mkdir()
    botctl = Botctl(root)
    botctl.write("bots/fleet.yaml", FLEET)
    botctl.write("bots/pair.yaml", PAIR)
    try:
        botctl("apply", "--yes")
        botctl("status", "--wait", "--timeout", "90")
        yield botctl
    finally:
        subprocess.run([str(BOTCTL), "down"], cwd=root, capture_output=True, timeout=180, check=False)
        shutil.rmtree(root, ignore_errors=True)


def legs(botctl: Botctl) -> dict[str, dict[str, Any]]:
    """Of a pair that trades at both venues; empty while it does not."""
    bot = botctl.status()["pair"]
    told: dict[str, dict[str, Any]] = bot["legs"]
    return told if bot["state"] == "running" and all(leg["ready"] for leg in told.values()) else {}


def test_a_simulator_that_starts_over_leaves_the_other_leg_its_books(pair: Botctl) -> None:
    bought = until(lambda: legs(pair).get("maker", {}).get("fills", 0))
    former = read_sim_endpoint(pair.workspace, "paradex")
    os.kill(former.pid, signal.SIGKILL)
    until(lambda: (pair.workspace.sim / "paradex.json").read_bytes().find(former.instance.encode()) < 0)

    def is_hedged() -> bool:
        now = legs(pair)
        return bool(now) and Decimal(now["maker"]["position"]) + Decimal(now["hedge"]["position"]) == 0

    until(lambda: legs(pair).get("maker", {}).get("fills", 0) >= bought and is_hedged())
    journals = {file.stem for file in (pair.workspace.journals / "pair").glob("*.sqlite")}
    assert len(journals) == 2, "the old one stayed"


def test_a_pair_starts_without_a_simulator_that_is_away_and_cancels_at_the_other(pair: Botctl) -> None:
    until(lambda: pair.orders_at_venue("alpha", "SOL_USDC_PERP"))
    supervisor_backend(pair.workspace).execute(Stop(names=("sim-paradex",), deadline_s=20), lambda _line: None)
    (killed,) = pair.runners()["pair"]
    os.kill(killed, signal.SIGKILL)
    until(lambda: pair.runners().get("pair", [killed]) != [killed])
    until(lambda: not pair.orders_at_venue("alpha", "SOL_USDC_PERP"))
    pair("apply", "--yes")
    until(lambda: legs(pair) and pair.orders_at_venue("alpha", "SOL_USDC_PERP"))
