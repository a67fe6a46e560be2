"""A fleet with more programs than one supervisord keeps, with real engines: it is one fleet to every verb."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from engine.control.backends.shards import known_shards
from engine.host.locks import is_free, read_holder
from engine.runtime.sentinel import lock_file
from tests.e2e.botctl import BTC, ETH, FLEET, Botctl, until

pytestmark = pytest.mark.timeout(240)

SOL_PERP = BTC.replace("name: btc", "name: sol-perp").replace("BTC_USDC_PERP", "SOL_USDC_PERP")


def daemons(botctl: Botctl) -> dict[str, int]:
    """Those that have a pid file, by name."""
    files = {shard.name: shard.pid_file for shard in known_shards(botctl.workspace)}
    return {name: int(file.read_text()) for name, file in files.items() if file.exists()}


def home_of(botctl: Botctl, bot: str) -> str:
    (home,) = [shard.name for shard in known_shards(botctl.workspace) if f"bot-{bot}" in shard.programs()]
    return home


def pids(botctl: Botctl) -> dict[str, int]:
    return {name: bot["pid"] for name, bot in botctl.status().items()}


def lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_bots_over_several_supervisors_grow_change_break_heal_and_end(botctl: Botctl) -> None:
    botctl.write("bots/fleet.yaml", f"{FLEET}supervisor: {{max_programs: 2}}\nsentinel: {{grace_s: 2}}\n")
    botctl("apply", "--yes")
    botctl("status", "--wait", "--timeout", "60")
    first = pids(botctl)
    assert set(daemons(botctl)) == {"supervisord", "supervisord-1"}, "a simulator, two bots and the sentinel"

    botctl.write("bots/eth.yaml", ETH)
    botctl.write("bots/sol-perp.yaml", SOL_PERP)
    botctl("apply", "--yes")
    botctl("status", "--wait", "--timeout", "60")
    before = pids(botctl)
    assert set(daemons(botctl)) == {"supervisord", "supervisord-1", "supervisord-2"}
    assert {name: before[name] for name in first} == first, "nobody was restarted for two more"
    assert "nothing to do" in botctl("plan", "--detailed-exitcode")

    botctl.write("bots/eth.yaml", f"{ETH}process: {{stop_timeout_s: 25}}\n")
    botctl("apply", "--yes")
    assert {name for name, pid in pids(botctl).items() if pid != before[name]} == {"eth"}
    botctl("logs", "eth", "-n", "5")

    before = pids(botctl)
    home = home_of(botctl, "sol")
    assert home != "supervisord", "its simulated venue lives on"
    os.kill(daemons(botctl)[home], signal.SIGKILL)
    until(lambda: not lives(before["sol"]))
    until(lambda: not botctl.orders_at_venue("alpha", "SOL_USDC"))
    assert f"{home} ended with its bots" in botctl("doctor", code=1)
    assert "sol" in botctl("plan", "--detailed-exitcode", code=2)
    botctl("apply", "--yes")
    until(lambda: botctl.orders_at_venue("alpha", "SOL_USDC"))
    assert {name for name, pid in pids(botctl).items() if pid != before[name]} == {"sol"}
    assert all(len(runners) == 1 for runners in botctl.runners().values())
    until(lambda: "sentinel: watches as process" in botctl("status"))
    assert "nothing to do" in botctl("plan", "--detailed-exitcode")

    sentinel = read_holder(lock_file(botctl.workspace))
    kept = [*daemons(botctl).values(), *pids(botctl).values(), sentinel.pid if sentinel else 0]
    botctl("down")
    until(lambda: not any(lives(pid) for pid in kept) and is_free(lock_file(botctl.workspace)))
    assert daemons(botctl) == {} and botctl.runners() == {}
