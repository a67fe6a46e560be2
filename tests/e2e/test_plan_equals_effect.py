"""Law 9 with nothing pretended: a real supervisord, real engines, and what rests at the simulated venue.

The market stands still, so an order that nobody touches keeps its id for as long as the test lasts. What a plan
says is held against every process and every order before and after: all of it happened, and nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from engine.errors import Unavailable
from engine.host.endpoints import read_sim_endpoint
from engine.host.generation import read_current
from tests.e2e.botctl import FLEET, Botctl, until

pytestmark = pytest.mark.timeout(300)

STILL = FLEET.replace("speed: 4", "speed: 0.001")
HOMES = {
    "sol": ("alpha", "SOL_USDC"),
    "eth": ("beta", "ETH_USDC"),
    "perp": ("alpha", "SOL_USDC_PERP"),
    "btc": ("beta", "BTC_USDC_PERP"),
    "new": ("alpha", "ETH_USDC"),
}
SIZES = {"SOL": "1.5", "ETH": "0.1", "BTC": "0.01"}
ORDERS = 2
"""Of every bot: one on each side."""

SAME_PROCESS = ("none", "record", "update")
NO_PROCESS = ("stop", "retire", "hold")
CANCELS = ("restart", "replace", "stop", "retire")

Bots = dict[str, dict[str, Any]]
Place = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Round:
    """What somebody types first, what is declared then, and what the plan must come to for each bot."""

    typed: tuple[str, ...] = ()
    bots: Bots
    kinds: dict[str, str]


ASIAN = {"spread": 30, "desk": "asia"}
PATIENT = {"process": "{stop_timeout_s: 9}"}
ROUNDS = (
    Round(
        bots={"sol": {}, "eth": {}, "btc": {}, "perp": {"enabled": "false"}},
        kinds={"sol": "create", "eth": "create", "btc": "create", "perp": "record"},
    ),
    Round(
        bots={"sol": {"spread": 30}, "eth": {}, "btc": PATIENT, "perp": {}},
        kinds={"sol": "update", "eth": "none", "btc": "restart", "perp": "start"},
    ),
    Round(
        bots={"sol": ASIAN, "eth": {"market": "SOL_USDC"}, "btc": PATIENT, "perp": {"enabled": "false"}},
        kinds={"sol": "record", "eth": "replace", "btc": "none", "perp": "stop"},
    ),
    Round(
        typed=("stop", "eth", "--why", "a look"),
        bots={"sol": ASIAN, "eth": {"market": "SOL_USDC"}, "new": {}, "perp": {"enabled": "false"}},
        kinds={"sol": "none", "eth": "hold", "btc": "retire", "new": "create", "perp": "none"},
    ),
)


@dataclass(frozen=True, kw_only=True)
class Present:
    """Everything that can be seen from outside: processes, orders at the venue, and what is in force."""

    runs: dict[str, list[int]]
    venue: int | None
    homes: dict[str, Place]
    orders: dict[Place, frozenset[str]]
    fingerprints: dict[str, str]

    def of(self, bot: str) -> frozenset[str]:
        return self.orders.get(self.homes.get(bot, ("", "")), frozenset())


def test_every_change_at_the_venue_was_in_the_plan_and_nothing_else(botctl: Botctl) -> None:
    for at in ROUNDS:
        declare(botctl, at.bots)
        if at.typed:
            botctl(*at.typed)
        before = seen(botctl)
        plan = json.loads(botctl("plan", "--json", stderr=False))
        bots = {action["name"]: action for action in plan["actions"] if action["subject"] == "bot"}
        assert {name: action["kind"] for name, action in bots.items()} == at.kinds
        botctl("apply", "--yes")
        assert "nothing to do" in botctl("plan", "--detailed-exitcode"), "a plan straight after its apply is empty"
        until(lambda at=at: trades(seen(botctl), at))
        after = seen(botctl)
        for name, action in bots.items():
            happened(name, action, before, after)
        assert set(after.homes) == set(at.bots), "what is in force is what was declared"
        assert before.venue in (None, after.venue), "the venue under them went on"


def happened(name: str, action: dict[str, Any], before: Present, after: Present) -> None:
    kind, what = action["kind"], f"{name}: {action['kind']}"
    if kind in SAME_PROCESS:
        assert after.runs.get(name) == before.runs.get(name), what
    elif kind in NO_PROCESS:
        assert name not in after.runs, what
    else:
        assert after.runs[name] != before.runs.get(name), what
    if kind in ("none", "record"):
        assert after.of(name) == before.of(name), f"{what}: not one order is another one"
    elif name in after.runs:
        assert after.fingerprints[name] == action["after"], what
    if kind in CANCELS:
        assert action["money"]["orders_cancelled"] == len(before.of(name)) > 0, what
        assert not before.of(name) & frozenset().union(*after.orders.values()), what


def trades(now: Present, at: Round) -> bool:
    """Every bot that should has its orders, and nobody else has any."""
    quoting = {now.homes[name] for name in now.runs}
    return {place for place, orders in now.orders.items() if orders} == quoting and all(
        len(now.orders[place]) == ORDERS for place in quoting
    )


def seen(botctl: Botctl) -> Present:
    applied = read_current(botctl.workspace)
    try:
        venue = read_sim_endpoint(botctl.workspace, "backpack").pid
    except Unavailable:
        venue = None
    homes = {}
    for name, spec in (applied.bots if applied else {}).items():
        (leg,) = spec.legs.values()
        homes[name] = (leg.account, leg.market)
    places = {*HOMES.values(), *homes.values()}
    orders = {place: botctl.orders_at_venue(*place) if venue else () for place in places}
    return Present(
        runs=botctl.runners(),
        venue=venue,
        homes=homes,
        orders={place: frozenset(order.venue_order_id for order in found) for place, found in orders.items()},
        fingerprints=dict(applied.fingerprints) if applied else {},
    )


def declare(botctl: Botctl, bots: Bots) -> None:
    for file in botctl.workspace.bots.glob("*.yaml"):
        file.unlink()
    botctl.write("bots/fleet.yaml", STILL)
    for name, said in bots.items():
        botctl.write(f"bots/{name}.yaml", text_of(name, **said))


def text_of(
    name: str, *, spread: int = 10, market: str = "", enabled: str = "true", desk: str = "", process: str = "{}"
) -> str:
    account, home = HOMES[name]
    market = market or home
    is_perp = market.endswith("PERP")
    more = "" if is_perp else ", capital: {base: 4, quote: 20000}"
    kind, size = "perp_market_maker" if is_perp else "market_maker", SIZES[market[:3]]
    return (
        f"metadata: {{name: {name}, labels: {{desk: '{desk}'}}}}\nenabled: {enabled}\n"
        f"exchange: {{account: {account}, market: {market}}}\nprocess: {process}\n"
        f"strategy: {{kind: {kind}, spread_bps: {spread}, order_size: {size}, layers: 1{more}}}\n"
        + ("risk: {max_position: 10}\n" if is_perp else "")
    )
