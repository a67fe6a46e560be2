"""What somebody does behind the fleet's back is found, told with what can be done about it, and settled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from engine.control.desired import desired_of
from engine.control.generations import switch_to, write_generation
from engine.host.generation import read_current
from engine.host.holds import Hold, HoldKind, place_hold
from engine.resources import resource
from engine.spec.fingerprint import fingerprint
from tests.control.watch.repository import Repository
from tests.e2e.botctl import BOTCTL, Botctl, until
from tests.e2e.outside import Outside

pytestmark = pytest.mark.timeout(600)

PATIENCE_S, LOOK_S = 120.0, 2.0
"""A bot asks for its position twice a minute, and believes what it hears twice."""
MARKET = "BTC_USDC_PERP"
FLEET = """\
id: lab
accounts:
  beta: {venue: backpack, environment: sim, leverage: 20, balances: {USDC: 100000}}
sim:
  backpack: {seed: 7, speed: 1}
"""
BTC = f"""\
metadata: {{name: btc}}
exchange: {{account: beta, market: {MARKET}}}
strategy: {{kind: perp_market_maker, spread_bps: 400, order_size: 0.01, layers: 2}}
risk: {{max_position: 0.1}}
"""
"""So far from the market that nobody trades with it: what moves is what a test moves."""
SCHEMA = json.loads(resource("schemas", "drift.schema.json").read_text())


@pytest.fixture
def trading(botctl: Botctl) -> Botctl:
    """The fleet runs, and nothing has happened to it yet."""
    (botctl.root / "bots" / "sol.yaml").unlink()
    botctl.write("bots/fleet.yaml", FLEET)
    botctl.write("bots/btc.yaml", BTC)
    botctl("apply", "--yes")
    until(lambda: botctl.status()["btc"]["orders"] == 4)
    assert "lab: no drift" in botctl("drift")
    return botctl


def look(botctl: Botctl, *options: str) -> dict[str, Any]:
    """What `drift --json` says."""
    found: dict[str, Any] = json.loads(_look(botctl, "drift", "--json", *options))
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    return found


def _look(botctl: Botctl, *words: str) -> str:
    """What is printed, however it ends: that is told by what it says."""
    done = subprocess.run([str(BOTCTL), *words], cwd=botctl.root, capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, 1, 2), done.stderr
    return done.stdout


def kinds(botctl: Botctl) -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in look(botctl)["findings"]}


def the(botctl: Botctl, kind: str) -> dict[str, Any]:
    """The finding of this kind, as soon as there is one."""
    return until(lambda: kinds(botctl).get(kind) or {}, patience_s=PATIENCE_S, every_s=LOOK_S)


def test_what_somebody_did_at_the_venue_is_found_and_settled_one_by_one(trading: Botctl) -> None:
    botctl, outside = trading, Outside(trading, "beta")
    order = outside.order(MARKET, "Bid", "0.02", "75000")
    finding = the(botctl, "foreign_order")
    assert (finding["bot"], finding["subject"], finding["source"]) == ("btc", str(order["id"]), "backpack")
    for way in ("adopt", "revert"):
        told = botctl("drift", way, finding["id"], "--yes", code=5)
        assert "cancel it where it was placed" in told
    assert "--why" in botctl("drift", "ignore", finding["id"], "--yes", code=64)
    botctl("drift", "ignore", finding["id"], "--yes", "--why", "my own order")
    assert "lab: no drift (1 ignored)" in botctl("drift")
    assert "my own order" in botctl("drift", "--all")
    outside.cancel(MARKET, str(order["id"]))
    assert "lab: no drift\n" in botctl("drift", "--all")

    outside.set_leverage("5")
    finding = the(botctl, "leverage")
    assert (finding["expected"], finding["found"], finding["place"]) == ("20 times", "5 times", "bots/fleet.yaml:3")
    assert "write `leverage: 5` for beta at bots/fleet.yaml:3" in botctl(
        "drift", "adopt", finding["id"], "--yes", code=5
    )
    assert "nobody can be asked" in botctl("drift", "revert", finding["id"], code=5)
    assert outside.leverage == "5"
    botctl("drift", "revert", finding["id"], "--yes", "--why", "a slip on the website")
    assert outside.leverage == "20"
    assert "no finding" in botctl("drift", "revert", finding["id"], "--yes", code=4)

    outside.withdraw("USDC", "1234.5")
    finding = the(botctl, "collateral")
    assert (finding["account"], finding["found"]) == ("beta", "-1234.5 USDC")
    botctl("drift", "adopt", finding["id"], "--yes", "--why", "paid out")
    assert "lab: no drift" in botctl("drift")
    outside.withdraw("USDC", "1")
    assert the(botctl, "collateral")["found"] == "-1 USDC"
    botctl("drift", "adopt", the(botctl, "collateral")["id"], "--yes")

    outside.order(MARKET, "Bid", "0.02")
    finding = the(botctl, "position")
    assert (finding["bot"], finding["subject"], finding["needs_person"]) == ("btc", "0.02", True)
    botctl("drift", "adopt", finding["id"], "--yes")
    until(lambda: Decimal(botctl.status()["btc"]["legs"]["main"]["position"]) == Decimal("0.02"))
    until(lambda: "lab: no drift" in _look(botctl, "drift"), every_s=LOOK_S)

    audited = botctl("audit")
    for deed in ("drift ignore", "drift revert", "drift adopt", "adopt"):
        assert deed in audited
    botctl("audit", "verify")


def test_an_engine_that_runs_other_settings_than_were_applied_is_restarted_on_demand(trading: Botctl) -> None:
    generation = read_current(trading.workspace)
    assert generation is not None
    desired = desired_of(generation)
    spec = desired.bots["btc"].spec
    other = replace(spec, risk=replace(spec.risk, max_position=Decimal("0.2")))
    changed = replace(desired.bots["btc"], spec=other, fingerprint=fingerprint(other))
    number = write_generation(trading.workspace, replace(desired, bots={"btc": changed}), conf="")
    switch_to(trading.workspace, number)  # As an apply that was killed here.
    before = trading.status()["btc"]["pid"]
    found = kinds(trading)
    assert set(found) == {"declared", "fingerprint"}
    assert "botctl apply btc" in trading("drift", "adopt", found["declared"]["id"], "--yes", code=5)
    trading("drift", "revert", found["fingerprint"]["id"], "--yes")
    assert trading.status()["btc"]["pid"] != before
    assert "fingerprint" not in kinds(trading)


def test_orders_that_a_dead_bot_left_behind_are_cancelled_on_demand(trading: Botctl) -> None:
    trading.write("bots/fleet.yaml", FLEET + "sentinel: {enabled: false}\n")
    trading("apply", "--yes")
    hold = Hold(bot="btc", kind=HoldKind.STOP, who="ann", since_ns=0, why="nobody starts it again")
    place_hold(trading.workspace, hold)
    os.kill(trading.status()["btc"]["pid"], signal.SIGKILL)
    finding = the(trading, "orphan_order")
    assert len(trading.orders_at_venue("beta", MARKET)) == 4 and finding["bot"] == "btc"
    assert "botctl start btc" in trading("drift", "adopt", finding["id"], "--yes", code=5)
    trading("drift", "revert", finding["id"], "--yes")
    assert trading.orders_at_venue("beta", MARKET) == ()
    assert kinds(trading) == {}


def test_what_does_not_answer_is_never_no_drift(trading: Botctl) -> None:
    trading("stop", "btc")
    assert "lab: no drift" in trading("drift"), "a hold is no drift, and nothing of the bot rests"
    trading("down")
    told = trading("drift", code=1)
    assert "no drift" not in told
    assert "not everything looked at" in told and f"? {MARKET} at backpack" in told


def test_a_watch_waits_for_a_person_while_somebody_elses_order_rests_on_the_market(
    trading: Botctl, tmp_path: Path
) -> None:
    repository = Repository(tmp_path / "theirs")
    repository.commit({"bots/fleet.yaml": FLEET, "bots/btc.yaml": BTC}, "as it is")
    trading("watch", "--repo", repository.url, "--once")
    order = Outside(trading, "beta").order(MARKET, "Bid", "0.02", "75000")
    repository.commit({"bots/btc.yaml": BTC.replace("layers: 2", "layers: 1")}, "one layer")
    told = trading("watch", "--repo", repository.url, "--once", code=5)
    assert "waiting" in told and f"order {order['id']}" in told and "botctl drift" in told
    until(lambda: len(trading.orders_at_venue("beta", MARKET)) == 5)
    trading("drift", "ignore", the(trading, "foreign_order")["id"], "--yes", "--why", "mine")
    trading("watch", "--repo", repository.url, "--once")
    until(lambda: len(trading.orders_at_venue("beta", MARKET)) == 3)
