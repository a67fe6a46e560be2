"""The kill switch through the installed command, while supervisord keeps restarting what is killed."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.e2e.botctl import Botctl, until

pytestmark = pytest.mark.timeout(240)

PLACES = {"sol": ("alpha", "SOL_USDC"), "btc": ("beta", "BTC_USDC_PERP")}


def resting(botctl: Botctl) -> int:
    return sum(len(botctl.orders_at_venue(*place)) for place in PLACES.values())


def states(botctl: Botctl) -> set[str]:
    """How the bots stand once none is on its way: supervisord starts what was killed, which then sees its hold."""

    def settled() -> set[str]:
        seen = {bot["state"] for bot in botctl.status().values()}
        return set() if seen & {"starting", "stopping", "unknown"} else seen

    return until(settled)


def test_halt_ends_running_and_frozen_bots_for_good_until_they_are_started(botctl: Botctl) -> None:
    botctl("apply", "--yes")
    botctl("status", "--wait", "--timeout", "60")
    os.kill(botctl.status()["btc"]["pid"], signal.SIGSTOP)
    words = botctl("halt", "--why", "it behaves oddly")
    assert resting(botctl) == 0
    assert "btc: killing process" in words and "no orders after" in words
    assert states(botctl) == {"held"}
    plan = botctl("plan", "--detailed-exitcode")
    assert "halt by" in plan and "it behaves oddly" in plan

    document = json.loads(botctl("halt", "--flatten", "--json", "sol", stderr=False))
    assert (document["done"], [bot["name"] for bot in document["bots"]]) == (True, ["sol"])
    assert document["time_to_flat_s"] > 0
    botctl("start", "sol")
    until(lambda: botctl.orders_at_venue(*PLACES["sol"]))
    assert botctl.status()["btc"]["state"] == "held"


def test_halt_works_while_an_apply_runs_and_when_supervisord_is_frozen(botctl: Botctl) -> None:
    botctl("apply", "--yes")
    botctl("status", "--wait", "--timeout", "60")
    daemon = int((botctl.workspace.state / "supervisord.pid").read_text())
    os.kill(daemon, signal.SIGSTOP)
    try:
        with botctl.begin("restart", "--all") as changing:
            botctl("halt", "--flatten")
            assert resting(botctl) == 0
            changing.send_signal(signal.SIGINT)
    finally:
        os.kill(daemon, signal.SIGCONT)
    assert states(botctl) == {"held"}
    assert resting(botctl) == 0
