"""The two markets, the key and the commands that all Backpack wire tests share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from engine.errors import VenueError
from engine.exchanges.backpack.venue import VENUE
from engine.exchanges.interface import Codec, Endpoints
from engine.exchanges.messages import HttpResponse
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
    SubmitOrder,
)
from engine.model.events import Event
from engine.model.instrument import Instrument, MarketKind
from engine.model.order import ApprovedOrder, OrderRequest, Side

HERE = Path(__file__).parent
SINCE_NS = 1_700_000_000_000_000_000
REQUESTED_NS = 1_800_000_000_000_000_000
AT_NS = 1_800_000_000_000_000_001
CLIENT_ID = (1 << 24) + 1
SUBMIT = SubmitOrder(
    leg="main",
    order=ApprovedOrder(
        request=OrderRequest(
            leg="main", client_id=CLIENT_ID, slot="bid.0", side=Side.BUY, ticks=18050, lots=150, post_only=True
        )
    ),
)
COMMANDS: dict[str, Command] = {
    "submit": SUBMIT,
    "cancel": CancelOrder(leg="main", client_id=CLIENT_ID, venue_order_id="111051090663277568"),
    "query_order": QueryOrder(leg="main", client_id=CLIENT_ID),
    "query_open_orders": QueryOpenOrders(leg="main"),
    "query_order_history": QueryOrderHistory(leg="main", since_ns=SINCE_NS),
    "query_fills": QueryFills(leg="main", since_ns=SINCE_NS),
    "query_funding": QueryFunding(leg="main", since_ns=SINCE_NS),
    "query_position": QueryPosition(leg="main"),
    "query_balances": QueryBalances(leg="main"),
    "query_book": QueryBook(leg="main"),
    "query_instrument": QueryInstrument(leg="main"),
}


INSTRUMENTS = msgspec.json.decode((HERE / "instruments.json").read_bytes(), type=dict[str, Instrument])


def instrument(kind: MarketKind) -> Instrument:
    return INSTRUMENTS[kind.value]


def codec(kind: MarketKind, market: Instrument | None = None) -> Codec:
    return VENUE.codec(
        leg="main",
        instrument=market or instrument(kind),
        credentials=VENUE.throwaway_credentials("wire tests"),
        endpoints=Endpoints(rest_url="http://127.0.0.1", ws_url="ws://127.0.0.1/"),
    )


CODECS = {kind.value: codec(kind) for kind in MarketKind}


def cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((HERE / name).read_text())
    return found


def reply(case: dict[str, Any]) -> HttpResponse:
    body = case["text"].encode() if "text" in case else msgspec.json.encode(case["body"])
    return HttpResponse(status=case["status"], body=body)


def outcome_of_reply(case: dict[str, Any]) -> dict[str, Any]:
    command, response = COMMANDS[case["command"]], reply(case)
    try:
        return _events(CODECS[case["leg"]].decode_reply(command, response, requested_ns=REQUESTED_NS, at_ns=AT_NS))
    except VenueError as error:
        return {"raises": type(error).__name__}


def outcome_of_frame(case: dict[str, Any]) -> dict[str, Any]:
    try:
        return _events(CODECS[case["leg"]].decode_frame(json.dumps(case["frame"]), at_ns=AT_NS))
    except VenueError as error:
        return {"raises": type(error).__name__}


def _events(events: Any) -> dict[str, Any]:
    found: tuple[Event, ...] = tuple(events)
    assert all(event.leg == "main" and event.at_ns == AT_NS for event in found)
    listed = [json.loads(msgspec.json.encode(event)) for event in found]
    for event in listed:
        del event["leg"], event["at_ns"]
    return {"events": listed}
