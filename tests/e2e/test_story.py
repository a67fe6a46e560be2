"""The road a user takes, through the installed command: declare, plan, apply, change, add, remove, break, mend."""

from __future__ import annotations

import os
import signal
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.host.control_client import call
from engine.host.holds import Hold, HoldKind, place_hold
from tests.e2e.botctl import ETH, SOL, Botctl, until

pytestmark = pytest.mark.timeout(240)


def trading(botctl: Botctl) -> None:
    botctl("status", "--wait", "--timeout", "60")


def test_a_fleet_is_declared_changed_and_taken_apart(botctl: Botctl) -> None:
    assert "3 to create" in botctl("plan", "--detailed-exitcode", code=2)
    botctl("apply", "--yes")
    trading(botctl)
    assert "nothing to do" in botctl("plan", "--detailed-exitcode")

    before = botctl.status()["sol"]
    line = botctl.edit("bots/sol.yaml", "spread_bps: 8", "spread_bps: 40")
    plan = botctl("plan", "--detailed-exitcode", code=2)
    assert "lab: 1 to change in place" in plan
    assert f"strategy.spread_bps: 8 → 40  (bots/sol.yaml:{line})" in plan
    botctl("apply", "--yes")
    after = until(lambda: _wide(botctl.status()["sol"]))
    until(lambda: _counted(botctl.status()["sol"]))
    assert after["pid"] == before["pid"]
    assert after["fingerprint"] != before["fingerprint"]
    assert _spread_at_venue(botctl) > 30

    botctl.write("bots/eth.yaml", ETH)
    plan = botctl("plan")
    assert "+ eth" in plan and "lab: 1 to create (3 unchanged)" in plan
    botctl("apply", "--yes")
    until(lambda: botctl.orders_at_venue("beta", "ETH_USDC"))

    (botctl.root / "bots" / "eth.yaml").unlink()
    plan = until(lambda: _retiring(botctl, "2 own orders will be cancelled; "))
    assert "- eth" in plan and "position" in plan
    botctl("apply", "--yes")
    assert botctl.orders_at_venue("beta", "ETH_USDC") == ()
    assert set(botctl.status()) == {"btc", "sol"}
    assert "nothing to do" in botctl("plan", "--detailed-exitcode")


def test_a_killed_engine_comes_back_to_exactly_its_own_orders(botctl: Botctl) -> None:
    botctl("apply", "--yes")
    trading(botctl)
    before = botctl.status()["sol"]
    os.kill(before["pid"], signal.SIGKILL)
    until(lambda: _is_back(botctl, before["pid"]))
    until(lambda: _believes_what_rests(botctl, "sol", "alpha", "SOL_USDC"))
    assert "nothing to do" in botctl("plan", "--detailed-exitcode")


def test_an_apply_after_kill_9_of_supervisord_leaves_one_runner_per_bot(botctl: Botctl) -> None:
    botctl("apply", "--yes")
    trading(botctl)
    before = {name: bot["pid"] for name, bot in botctl.status().items()}
    daemon = int((botctl.workspace.state / "supervisord.pid").read_text())
    os.kill(daemon, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{daemon}").exists())
    botctl("apply", "--yes")
    trading(botctl)
    runners = _runners(botctl)
    assert sorted(runners) == ["btc", "sol"], "one runner per bot, none doubled"
    assert not set(runners.values()) & set(before.values())
    until(lambda: _believes_what_rests(botctl, "sol", "alpha", "SOL_USDC"))
    assert "nothing to do" in botctl("plan", "--detailed-exitcode")


def test_what_a_person_stopped_stays_stopped_until_started_again(botctl: Botctl) -> None:
    botctl("apply", "--yes")
    trading(botctl)
    botctl("stop", "sol", "--why", "moving house")
    assert botctl.orders_at_venue("alpha", "SOL_USDC") == ()
    assert "moving house" in botctl("plan", "--detailed-exitcode")
    botctl("apply", "--yes")
    botctl("down")
    botctl("apply", "--yes")
    assert botctl.status()["sol"]["state"] == "held"
    botctl("status", "--exit-code")
    botctl("start", "sol")
    until(lambda: botctl.orders_at_venue("alpha", "SOL_USDC"))
    assert "nothing to do" in botctl("plan", "--detailed-exitcode")


def test_a_paused_bot_keeps_its_process_and_quotes_again_when_resumed(botctl: Botctl) -> None:
    botctl("apply", "--yes")
    trading(botctl)
    before = botctl.status()["sol"]
    place_hold(botctl.workspace, Hold(bot="sol", kind=HoldKind.PAUSE, who="ann", since_ns=0, why="a look"))
    call(botctl.workspace.control_socket("sol"), "pause", {"who": "ann", "why": "a look"})
    until(lambda: not botctl.orders_at_venue("alpha", "SOL_USDC"))
    assert botctl.status()["sol"]["state"] == "held"
    assert "pause by ann" in botctl("plan", "--detailed-exitcode")
    botctl("resume", "sol")
    until(lambda: botctl.orders_at_venue("alpha", "SOL_USDC"))
    assert botctl.status()["sol"]["pid"] == before["pid"]


def test_a_bot_that_lost_enough_stays_out_until_it_is_resumed(botctl: Botctl) -> None:
    botctl("apply", "--yes")
    trading(botctl)
    botctl.write("bots/sol.yaml", f"{SOL}risk: {{stop_loss_usd: 0.0001, take_profit_usd: 0.0001}}\n")
    with botctl.begin("apply", "--yes") as running:
        code = running.wait(90)
        assert running.stderr and code in (0, 1), running.stderr.read()
    bot = until(lambda: _ended_by_a_trip(botctl))
    assert bot["why"].startswith("trip by the risk guard since")
    assert "the limit is" in bot["why"] or "the goal is" in bot["why"]
    assert botctl.orders_at_venue("alpha", "SOL_USDC") == ()
    assert "trip by the risk guard" in botctl("plan", "--detailed-exitcode")
    botctl("apply", "--yes")
    botctl("down")
    botctl("apply", "--yes")
    assert botctl.status()["sol"]["state"] == "held"
    assert "botctl resume sol" in botctl("start", "sol", code=5)
    botctl("start", "--all")
    assert botctl.status()["sol"]["state"] == "held"
    botctl.write("bots/sol.yaml", f"{SOL}risk: {{stop_loss_usd: 100000}}\n")
    botctl("apply", "--yes")
    botctl("resume", "sol")
    until(lambda: botctl.orders_at_venue("alpha", "SOL_USDC"))
    assert "nothing to do" in botctl("plan", "--detailed-exitcode")


def test_a_budget_that_bots_share_is_kept_shown_and_changed_in_place(botctl: Botctl) -> None:
    fleet = (botctl.root / "bots" / "fleet.yaml").read_text()
    botctl.write("bots/fleet.yaml", f"{fleet}budgets: {{fleet: {{max_gross_exposure_usd: 100}}}}\n")
    botctl("apply", "--yes")
    until(lambda: "budget of the fleet: gross " in botctl("status"))
    assert botctl.orders_at_venue("alpha", "SOL_USDC") == (), "one order of it is worth more"
    before = {name: bot["pid"] for name, bot in botctl.status().items()}
    line = botctl.edit("bots/fleet.yaml", "max_gross_exposure_usd: 100", "max_gross_exposure_usd: 50000")
    plan = botctl("plan", "--detailed-exitcode", code=2)
    assert f"budgets.fleet.max_gross_exposure_usd: 100 → 50000  (bots/fleet.yaml:{line})" in plan
    botctl("apply", "--yes")
    until(lambda: botctl.orders_at_venue("alpha", "SOL_USDC"))
    assert {name: bot["pid"] for name, bot in botctl.status().items()} == before
    assert "nothing to do" in botctl("plan", "--detailed-exitcode")


def test_an_interrupted_apply_is_finished_by_the_next(botctl: Botctl) -> None:
    with botctl.begin("apply", "--yes") as running:
        assert running.stderr is not None
        assert any("in force" in line for line in running.stderr)
        running.send_signal(signal.SIGINT)
        done_before_the_signal = running.wait(30) == 0
    assert running.returncode == 130 or done_before_the_signal
    if done_before_the_signal:
        assert "nothing to do" in botctl("plan", "--detailed-exitcode")
    botctl("apply", "--yes")
    trading(botctl)
    assert sorted(_runners(botctl)) == ["btc", "sol"]
    assert "nothing to do" in botctl("plan", "--detailed-exitcode")
    assert "process started" in botctl("logs", "sol", "-n", "1000")


def test_destroy_leaves_nothing_running_and_apply_begins_anew(botctl: Botctl) -> None:
    botctl("apply", "--yes")
    assert "2 to retire" not in botctl("destroy", code=5)
    botctl("destroy", "--yes")
    assert not botctl.workspace.supervisor_socket.exists()
    assert _runners(botctl) == {}
    assert botctl.status() == {}
    assert "3 to create" in botctl("plan")


def _ended_by_a_trip(botctl: Botctl) -> dict[str, Any] | None:
    bot = botctl.status()["sol"]
    return bot if bot["state"] == "held" and not bot["pid"] else None


def _retiring(botctl: Botctl, words: str) -> str | None:
    """The plan once it says so: between a fill and the next quote there is an order less."""
    plan = botctl("plan")
    assert "retire" in plan
    return plan if words in plan else None


def _counted(bot: dict[str, Any]) -> bool:
    """Whether the bot tells how much of what its venue counts has been used."""
    return bot["legs"]["main"]["budget"]["requests"]["used_per_minute"] > 0


def _wide(bot: dict[str, Any]) -> dict[str, Any] | None:
    """The bot, once it tells of quotes on both sides that are wide apart."""
    leg = bot["legs"]["main"]
    if not (leg["bid"] and leg["ask"]):
        return None
    return bot if _width(Decimal(leg["bid"]), Decimal(leg["ask"])) > 30 else None


def _spread_at_venue(botctl: Botctl) -> float:
    orders = botctl.orders_at_venue("alpha", "SOL_USDC")
    bids = [order.ticks for order in orders if order.side.sign > 0]
    asks = [order.ticks for order in orders if order.side.sign < 0]
    return _width(Decimal(max(bids)), Decimal(min(asks)))


def _width(bid: Decimal, ask: Decimal) -> float:
    return float((ask - bid) / ((ask + bid) / 2) * 10_000)


def _is_back(botctl: Botctl, old_pid: int) -> bool:
    bot = botctl.status()["sol"]
    return bot["state"] == "running" and bot["pid"] != old_pid and bool(bot["orders"])


def _believes_what_rests(botctl: Botctl, name: str, account: str, market: str) -> bool:
    """The engine counts two layers on two sides, and the venue holds exactly these."""
    believed = botctl.status()[name]["orders"]
    resting = botctl.orders_at_venue(account, market)
    return believed == len(resting) == 4


def _runners(botctl: Botctl) -> dict[str, int]:
    """Engines of this workspace that really run, from the process table."""
    found: dict[str, int] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if any(word.endswith("botctl-engine") for word in words) and str(botctl.workspace.state) in words:
            name = words[-2]
            assert name not in found, f"{name} runs twice"
            found[name] = int(place.name)
    return found
