"""The two markets, the keys and the commands that all Aster wire tests share, and how a case becomes an outcome."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from engine.errors import VenueError
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
from engine.model.events import Event
from engine.model.instrument import Instrument
from engine.model.order import ApprovedOrder, OrderRequest, Side

WIRE = Path(__file__).parents[1]
VENUES = ("aster", "aster-spot")
ENDPOINTS = Endpoints(rest_url="http://127.0.0.1", ws_url="ws://127.0.0.1/")
SINCE_NS = 1_799_900_000_000_000_000
REQUESTED_NS = 1_800_000_000_000_000_000
AT_NS = 1_800_000_000_000_000_001
CLIENT_ID = (1 << 32) + 7
"""`botctl-4294967303`."""
REQUEST = OrderRequest(
    leg="main", client_id=CLIENT_ID, slot="bid.0", side=Side.BUY, ticks=867000, lots=10, post_only=True
)
COMMANDS: dict[str, Command] = {
    "submit": SubmitOrder(leg="main", order=ApprovedOrder(request=REQUEST)),
    "cancel": CancelOrder(leg="main", client_id=CLIENT_ID, venue_order_id="283194212"),
    "query_order": QueryOrder(leg="main", client_id=CLIENT_ID),
    "query_open_orders": QueryOpenOrders(leg="main"),
    "query_order_history": QueryOrderHistory(leg="main", since_ns=SINCE_NS),
    "query_fills": QueryFills(leg="main", since_ns=SINCE_NS),
    "query_funding": QueryFunding(leg="main", since_ns=SINCE_NS),
    "query_position": QueryPosition(leg="main"),
    "query_balances": QueryBalances(leg="main"),
    "query_book": QueryBook(leg="main"),
    "query_instrument": QueryInstrument(leg="main"),
    "set_dead_mans_switch": SetDeadMansSwitch(leg="main", cancel_after_s=100),
}


def instrument(venue: str) -> Instrument:
    (found,) = msgspec.json.decode(
        (WIRE / venue / "instruments.json").read_bytes(), type=dict[str, Instrument]
    ).values()
    return found


def codec(venue: str, market: Instrument | None = None) -> Codec:
    found = find_venue(venue)
    return found.codec(
        leg="main",
        instrument=market or instrument(venue),
        credentials=found.throwaway_credentials("wire tests"),
        endpoints=ENDPOINTS,
    )


def cases(name: str) -> list[dict[str, Any]]:
    """The cases of both venues; each knows its venue."""
    return [{"venue": venue, **case} for venue in VENUES for case in json.loads((WIRE / venue / name).read_text())]


def outcome_of_reply(case: dict[str, Any]) -> dict[str, Any]:
    body = case["text"].encode() if "text" in case else msgspec.json.encode(case["body"])
    response = HttpResponse(status=case["status"], body=body)
    try:
        return _events(
            codec(case["venue"]).decode_reply(
                COMMANDS[case["command"]], response, requested_ns=REQUESTED_NS, at_ns=AT_NS
            )
        )
    except VenueError as error:
        return {"raises": type(error).__name__}


def outcome_of_frame(case: dict[str, Any]) -> dict[str, Any]:
    try:
        return _events(codec(case["venue"]).decode_frame(json.dumps(case["frame"]), at_ns=AT_NS))
    except VenueError as error:
        return {"raises": type(error).__name__}


def _events(events: Any) -> dict[str, Any]:
    found: tuple[Event, ...] = tuple(events)
    assert all(event.leg == "main" and event.at_ns == AT_NS for event in found)
    listed = [json.loads(msgspec.json.encode(event)) for event in found]
    for event in listed:
        del event["leg"], event["at_ns"]
    return {"events": listed}
