"""A hedging bot over two simulated venues, run by the installed command under a real supervisord."""

from __future__ import annotations

import json
import os
import signal
from decimal import Decimal
from typing import Any

import pytest

from engine.host.endpoints import read_sim_endpoint
from engine.host.holds import HoldKind, read_hold
from tests.e2e.botctl import Botctl, until

pytestmark = pytest.mark.timeout(240)

FLEET = """\
id: lab
accounts:
  alpha: {venue: backpack, environment: sim, balances: {USDC: 100000, SOL: 500}}
  far: {venue: paradex, environment: sim, balances: {USDC: 100000}}
sim:
  backpack: {seed: 7, speed: 4}
  paradex: {seed: 7, speed: 4}
"""
HEDGE = """\
metadata: {name: pair}
exchange:
  legs:
    maker: {account: alpha, market: SOL_USDC_PERP}
    hedge: {account: far, market: SOL-USD-PERP}
strategy:
  kind: maker_taker_hedge
  order_size: 1
  requote_threshold_ticks: 1
  max_unhedged: 20
risk: {max_position: 20}
process: {stop_policy: flatten, stop_timeout_s: 30}
"""
SMALLEST_HEDGE = Decimal("0.1")


@pytest.fixture
def pair(botctl: Botctl) -> Botctl:
    """The workspace with one hedging bot in it."""
    for bot in ("sol", "btc"):
        (botctl.root / "bots" / f"{bot}.yaml").unlink()
    botctl.write("bots/fleet.yaml", FLEET)
    botctl.write("bots/pair.yaml", HEDGE)
    return botctl


def test_fills_on_one_venue_are_hedged_on_the_other_through_kill_9_and_stop(pair: Botctl) -> None:
    assert "pair" in pair("plan", "--detailed-exitcode", code=2)
    pair("apply", "--yes")
    before = until(lambda: hedged(pair))
    assert "hedges, median" in pair("status") and "far" in pair("status")
    assert "nothing to do" in pair("plan", "--detailed-exitcode")

    os.kill(before["pid"], signal.SIGKILL)
    after = until(lambda: hedged(pair, other_than=before["pid"]))
    assert after["legs"]["maker"]["fills"] >= before["legs"]["maker"]["fills"], "nothing was forgotten"

    line = pair.edit("bots/pair.yaml", "max_unhedged: 20", "max_unhedged: 10")
    assert f"strategy.max_unhedged: 20 → 10  (bots/pair.yaml:{line})" in pair("plan")
    pair("apply", "--yes")
    assert pair.status()["pair"]["pid"] == after["pid"]

    (pair.root / "bots" / "pair.yaml").unlink()
    plan = until(lambda: retiring(pair))
    assert "maker: " in plan and "hedge: " in plan
    pair("apply", "--yes", "--accept", "empty,flatten")
    assert pair.status() == {}
    assert pair.orders_at_venue("alpha", "SOL_USDC_PERP") == ()


def test_halt_cancels_at_the_venue_in_reach_and_flattens_both_legs_when_the_other_is_back(pair: Botctl) -> None:
    pair("apply", "--yes")
    until(lambda: hedged(pair))
    far = read_sim_endpoint(pair.workspace, "paradex").pid
    os.kill(far, signal.SIGSTOP)
    try:
        words = pair("halt", "--flatten", "--timeout", "25", code=1)
        assert "still pending: pair: " in words and "botctl halt --flatten pair" in words
        assert pair.orders_at_venue("alpha", "SOL_USDC_PERP") == ()
        hold = read_hold(pair.workspace, "pair")
        assert hold is not None and hold.kind is HoldKind.HALT
    finally:
        os.kill(far, signal.SIGCONT)
    document = json.loads(pair("halt", "--flatten", "--json", stderr=False))
    (halted,) = document["bots"]
    assert document["done"] and halted["positions"].keys() == {"SOL_USDC_PERP (maker)", "SOL-USD-PERP (hedge)"}
    assert all(abs(Decimal(position)) < SMALLEST_HEDGE for position in halted["positions"].values())
    assert until(lambda: pair.status()["pair"]["state"] == "held"), "the hold outlives the restarts of supervisord"
    pair("start", "pair")
    until(lambda: hedged(pair))


def hedged(pair: Botctl, *, other_than: int = 0) -> dict[str, Any] | None:
    """The bot, once it trades both legs and has all of it hedged."""
    bot = pair.status().get("pair", {})
    hedge = bot.get("hedge")
    if bot.get("state") != "running" or bot["pid"] == other_than or not hedge:
        return None
    timed = hedge["time_to_hedge"]["count"] > 0
    return bot if timed and abs(Decimal(hedge["residual"])) < SMALLEST_HEDGE and not hedge["alarm"] else None


def retiring(pair: Botctl) -> str | None:
    """The plan, once it knows what becomes of both legs."""
    plan = pair("plan")
    return plan if "will be cancelled" in plan and "unknown" not in plan else None
