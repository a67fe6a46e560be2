"""A branch that is applied by itself: commits go in, and the simulated venue shows it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from engine.host.locks import is_free, read_holder
from tests.control.watch.repository import Repository
from tests.e2e.botctl import BTC, FLEET, SOL, Botctl, until

pytestmark = pytest.mark.timeout(300)


def status(botctl: Botctl) -> dict[str, Any]:
    file = botctl.workspace.watch / "status.json"
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return found


def test_commits_are_applied_bad_ones_refused_and_the_fleet_goes_on(botctl: Botctl, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "theirs")
    fleet = f"{FLEET}watch: {{repo: '{repository.url}', interval_s: 1}}\n"
    first = repository.commit({"bots/fleet.yaml": fleet, "bots/sol.yaml": SOL, "bots/btc.yaml": BTC}, "the fleet")
    botctl("watch", "--repo", repository.url, "--once")
    until(lambda: status(botctl)["applied_commit"] == first)
    botctl("status", "--wait", "--timeout", "60")
    until(lambda: "(no watch runs now" not in botctl("status"))
    sol = botctl.status()["sol"]["pid"]

    second = repository.commit({"bots/sol.yaml": SOL.replace("layers: 2", "layers: 3")}, "three layers")
    until(lambda: status(botctl)["applied_commit"] == second)
    until(lambda: len(botctl.orders_at_venue("alpha", "SOL_USDC")) == 6)
    assert botctl.status()["sol"]["pid"] == sol
    assert f"{second[:12]} three layers" in botctl("history")

    bad = repository.commit({"bots/sol.yaml": SOL.replace("layers: 2", "layers: many")}, "a slip")
    until(lambda: status(botctl)["result"] == "refused")
    told = botctl("status")
    assert f"watch: {bad[:12]} of main refused" in told
    assert "bots/sol.yaml:7" in status(botctl)["why"]
    until(lambda: len(botctl.orders_at_venue("alpha", "SOL_USDC")) > 2)
    assert botctl.status()["sol"]["pid"] == sol, "the old fleet goes on"

    fix = repository.commit({"bots/sol.yaml": SOL.replace("layers: 2", "layers: 1")}, "one layer")
    until(lambda: status(botctl)["applied_commit"] == fix)
    until(lambda: len(botctl.orders_at_venue("alpha", "SOL_USDC")) == 2)

    holder = read_holder(botctl.workspace.watch / "lock")
    assert holder is not None
    os.kill(holder.pid, signal.SIGKILL)
    last = repository.commit({"bots/fleet.yaml": FLEET}, "people apply again")
    until(lambda: status(botctl)["applied_commit"] == last)
    until(lambda: is_free(botctl.workspace.watch / "lock"))
    assert botctl("plan", "--detailed-exitcode", code=2).count("watch") == 0


def test_a_watch_that_is_ended_in_the_middle_leaves_the_rest_to_the_next_one(
    botctl: Botctl, tmp_path: Path
) -> None:
    repository = Repository(tmp_path / "theirs")
    commit = repository.commit({"bots/fleet.yaml": FLEET, "bots/sol.yaml": SOL, "bots/btc.yaml": BTC})
    watching = botctl.begin("watch", "--repo", repository.url, "--interval", "1")
    until(lambda: (botctl.workspace.state / "supervisord.pid").exists())
    watching.send_signal(signal.SIGTERM)
    watching.communicate(timeout=90)
    assert watching.returncode == 0
    botctl("watch", "--repo", repository.url, "--once")
    assert status(botctl)["applied_commit"] == commit
    assert {name: bot["state"] for name, bot in botctl.status().items()} == {"btc": "running", "sol": "running"}


def test_once_says_by_its_exit_code_how_it_ended(botctl: Botctl, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "theirs")
    repository.commit({"bots/fleet.yaml": "id: [lab\n"})
    look = ("watch", "--repo", repository.url, "--once")
    assert "bots/fleet.yaml:2" in botctl(*look, code=3)
    botctl(*look, "--require-signed", code=5)
    botctl(*look, "--branch", "other", code=1)
    assert "which repository?" in botctl("watch", code=64)
    botctl("watch", "suspend", "sol", "--why", "a test")
    assert json.loads((botctl.workspace.watch / "wishes.json").read_text())["bots"]["sol"]["why"] == "a test"
    assert "watch suspend" in botctl("audit")
