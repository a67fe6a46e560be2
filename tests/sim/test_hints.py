"""What `botctl sim` tells people works as it stands: the lines are taken from the text and run."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from engine.sim.hints import hints, own_balances, usage
from engine.sim.venues import SIMULATED, build_machine, simulated_markets
from tests.late import late
from tests.sim.served import FLEET, serving, sim_spec

each_venue = pytest.mark.parametrize("venue", SIMULATED)
CCXT = {
    "backpack": ("backpack", "SOL/USDC"),
    "aster": ("aster", "SOL/USDT:USDT"),
    "aster-spot": ("aster", "SOL/USDT"),
    "paradex": ("paradex", "SOL/USD:USDC"),
    "lighter": ("lighter", "SOL/USDC:USDC"),
}
ASKED_TOGETHER = {"aster": ("aster", "aster-spot"), "aster-spot": ("aster", "aster-spot")}


def point(exchange: Any, venue: str, held: ExitStack) -> None:
    """Serve a venue and do what its hint says."""
    rest_url, ws_url = held.enter_context(serving(build_machine(sim_spec("alice", venue=venue), FLEET)))
    exec(hints(venue, rest_url, ws_url)["ccxt"].partition("\n")[0], {"exchange": exchange})


@each_venue
def test_the_url_for_curl_answers_with_a_book(venue: str) -> None:
    with serving(build_machine(sim_spec("alice", venue=venue), FLEET)) as (rest_url, ws_url):
        (url,) = re.findall(r'curl +"(.+)"', usage(venue, rest_url, ws_url))
        answer = httpx.get(url, trust_env=False)
    assert answer.status_code == 200
    assert "asks" in answer.text


@each_venue
def test_the_line_for_ccxt_leads_it_to_the_simulator(venue: str) -> None:
    name, symbol = CCXT[venue]
    exchange = getattr(late("ccxt"), name)({"enableRateLimit": False})
    with ExitStack() as held:
        for asked in ASKED_TOGETHER.get(venue, (venue,)):
            point(exchange, asked, held)
        book = exchange.fetch_order_book(symbol)
    assert book["bids"][0][0] < book["asks"][0][0]


@each_venue
def test_made_up_accounts_own_what_the_venues_markets_are_paid_with_and_sell(venue: str) -> None:
    owned = own_balances(venue)
    for market in simulated_markets(venue):
        assert owned[market.quote] >= 10_000
        assert market.kind == "perp" or owned[market.base] * market.tick_size > 0
