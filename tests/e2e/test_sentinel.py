"""The sentinel beside real engines: it acts where nobody else does, and only there."""

from __future__ import annotations

import os
import signal

import pytest

from engine.host.locks import is_free, read_holder
from engine.runtime.sentinel import lock_file
from tests.e2e.botctl import FLEET, Botctl, until

pytestmark = pytest.mark.timeout(240)


def test_orders_of_a_bot_that_nobody_restarts_are_cancelled_and_it_comes_back_by_itself(botctl: Botctl) -> None:
    botctl.write("bots/fleet.yaml", f"{FLEET}sentinel: {{grace_s: 2}}\n")
    botctl("apply", "--yes")
    botctl("status", "--wait", "--timeout", "60")
    assert "sentinel: watches as process" in botctl("status")
    daemon = int((botctl.workspace.state / "supervisord.pid").read_text())
    engine = botctl.status()["sol"]["pid"]
    os.kill(daemon, signal.SIGSTOP)
    os.kill(engine, signal.SIGKILL)
    log = botctl.workspace.logs / "sentinel.jsonl"
    until(lambda: '"cancelled"' in log.read_text())
    assert botctl.orders_at_venue("alpha", "SOL_USDC") == ()
    until(lambda: botctl.orders_at_venue("beta", "BTC_USDC_PERP"))
    os.kill(daemon, signal.SIGCONT)
    until(lambda: botctl.orders_at_venue("alpha", "SOL_USDC"))

    sentinel = read_holder(lock_file(botctl.workspace))
    botctl.edit("bots/fleet.yaml", "sentinel: {grace_s: 2}", "sentinel: {enabled: false}")
    botctl("apply", "--yes")
    until(lambda: is_free(lock_file(botctl.workspace)))
    assert "sentinel" not in botctl("status")
    botctl.edit("bots/fleet.yaml", "sentinel: {enabled: false}", "sentinel: {grace_s: 3}")
    botctl("apply", "--yes")
    until(lambda: "sentinel: watches" in botctl("status"))

    os.kill(daemon, signal.SIGKILL)
    until(lambda: is_free(lock_file(botctl.workspace)))
    assert sentinel is not None and not _lives(sentinel.pid)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
