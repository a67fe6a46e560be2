"""What the contract suite knows of each registered venue: its golden payloads, found by the venue's name.

A new venue joins by adding `tests/wire/<venue>/{instruments,frames,replies}.json` and a row in `CLIENT_ID_BITS`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from engine.exchanges.interface import Codec, Endpoints
from engine.exchanges.messages import HttpResponse
from engine.exchanges.registry import find_venue
from engine.model.commands import (
    CancelOrder,
    Command,
    QueryBalances,
    QueryBook,
    QueryFills,
    QueryFunding,
    QueryInstrument,
    QueryOpenOrders,
    QueryOrder,
    QueryOrderHistory,
    QueryPosition,
    SetDeadMansSwitch,
    SubmitOrder,
)
from engine.model.instrument import Instrument
from engine.model.order import ApprovedOrder, OrderRequest, Side

WIRE = Path(__file__).parents[1] / "wire"

CLIENT_ID_BITS = {"backpack": 32, "aster": 48, "aster-spot": 48, "paradex": 48, "lighter": 48}
"""The room each venue's documentation leaves for a client id."""


SIGNS_AT_RANDOM = {"lighter"}
"""Venues whose own signer draws randomness or reads the clock: their bytes differ, their fields do not."""

SPEAKS_INTEGERS = {"lighter"}
"""Venues that take ticks and lots instead of decimals, of the grids they have and no others."""


def submit(client_id: int = 1 << 24, ticks: int = 100, lots: int = 100) -> SubmitOrder:
    request = OrderRequest(leg="main", client_id=client_id, slot="bid.0", side=Side.BUY, ticks=ticks, lots=lots)
    return SubmitOrder(leg="main", order=ApprovedOrder(request=request))


COMMANDS: dict[str, Command] = {
    "submit": submit(),
    "cancel": CancelOrder(leg="main", client_id=1 << 24, venue_order_id="7"),
    "query_order": QueryOrder(leg="main", client_id=1 << 24),
    "query_open_orders": QueryOpenOrders(leg="main"),
    "query_order_history": QueryOrderHistory(leg="main", since_ns=0),
    "query_fills": QueryFills(leg="main", since_ns=0),
    "query_funding": QueryFunding(leg="main", since_ns=0),
    "query_position": QueryPosition(leg="main"),
    "query_balances": QueryBalances(leg="main"),
    "query_book": QueryBook(leg="main"),
    "query_instrument": QueryInstrument(leg="main"),
}
SWITCHES: dict[str, Command] = {
    "set_dead_mans_switch": SetDeadMansSwitch(leg="main", cancel_after_s=600),
    "take_switch_back": SetDeadMansSwitch(leg="main", cancel_after_s=None),
}


def commands(venue: str) -> dict[str, Command]:
    """What a venue's codec carries out, by what its facts say."""
    return COMMANDS | (SWITCHES if find_venue(venue).facts.dead_mans_switch else {})


def instruments(venue: str) -> dict[str, Instrument]:
    return msgspec.json.decode((WIRE / venue / "instruments.json").read_bytes(), type=dict[str, Instrument])


def codec(venue: str, instrument: Instrument) -> Codec:
    found = find_venue(venue)
    return found.codec(
        leg="main",
        instrument=instrument,
        credentials=found.throwaway_credentials("contract suite"),
        endpoints=Endpoints(rest_url="http://127.0.0.1", ws_url="ws://127.0.0.1/"),
    )


def codecs(venue: str) -> dict[str, Codec]:
    return {leg: codec(venue, instrument) for leg, instrument in instruments(venue).items()}


def frames(venue: str) -> list[tuple[str, Any]]:
    """(leg, frame) of every golden frame."""
    return [(case["leg"], case["frame"]) for case in json.loads((WIRE / venue / "frames.json").read_text())]


def replies(venue: str) -> list[tuple[str, Command, HttpResponse]]:
    """(leg, command, answer) of every golden reply."""
    known = commands(venue)
    return [
        (case["leg"], known[case["command"]], HttpResponse(status=case["status"], body=_body(case)))
        for case in json.loads((WIRE / venue / "replies.json").read_text())
    ]


def _body(case: dict[str, Any]) -> bytes:
    return case["text"].encode() if "text" in case else json.dumps(case["body"]).encode()
