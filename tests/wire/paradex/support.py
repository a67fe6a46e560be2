"""The market, the key and the commands that all Paradex wire tests share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from engine.errors import VenueError
from engine.exchanges.interface import Codec, Endpoints, Venue
from engine.exchanges.messages import HttpResponse
from engine.exchanges.paradex.translate import CLIENT_IDS
from engine.exchanges.paradex.venue import VENUE
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
from engine.model.instrument import Instrument
from engine.model.order import ApprovedOrder, OrderRequest, Side, TimeInForce

HERE = Path(__file__).parent
SINCE_NS = 1_700_000_000_000_000_000
REQUESTED_NS = 1_800_000_000_000_000_000
AT_NS = 1_800_000_000_000_000_001
CLIENT_ID = CLIENT_IDS.compose(1, 5)
INSTRUMENT = msgspec.json.decode((HERE / "instruments.json").read_bytes(), type=dict[str, Instrument])["perp"]


def submit(
    *,
    side: Side = Side.BUY,
    post_only: bool = True,
    reduce_only: bool = False,
    time_in_force: TimeInForce = TimeInForce.GTC,
) -> SubmitOrder:
    request = OrderRequest(
        leg="main",
        client_id=CLIENT_ID,
        slot="bid.0",
        side=side,
        ticks=142_317,
        lots=150,
        post_only=post_only,
        reduce_only=reduce_only,
        time_in_force=time_in_force,
    )
    return SubmitOrder(leg="main", order=ApprovedOrder(request=request))


COMMANDS: dict[str, Command] = {
    "submit": submit(),
    "cancel": CancelOrder(leg="main", client_id=CLIENT_ID, venue_order_id="1790000000000201709999990000"),
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


def codec(
    credentials: dict[str, str] | None = None, rest_url: str = "http://127.0.0.1", venue: Venue = VENUE
) -> Codec:
    return venue.codec(
        leg="main",
        instrument=INSTRUMENT,
        credentials=VENUE.throwaway_credentials("wire tests") if credentials is None else credentials,
        endpoints=Endpoints(rest_url=rest_url, ws_url="ws://127.0.0.1/"),
    )


CODEC = codec()


def cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((HERE / name).read_text())
    return found


def reply(case: dict[str, Any]) -> HttpResponse:
    body = case["text"].encode() if "text" in case else msgspec.json.encode(case["body"])
    return HttpResponse(status=case["status"], body=body)


def outcome_of_reply(case: dict[str, Any]) -> dict[str, Any]:
    command = COMMANDS[case["command"]]
    try:
        return _events(CODEC.decode_reply(command, reply(case), requested_ns=REQUESTED_NS, at_ns=AT_NS))
    except VenueError as error:
        return {"raises": type(error).__name__}


def outcome_of_frame(case: dict[str, Any]) -> dict[str, Any]:
    try:
        return _events(CODEC.decode_frame(json.dumps(case["frame"]), at_ns=AT_NS))
    except VenueError as error:
        return {"raises": type(error).__name__}


def _events(events: Any) -> dict[str, Any]:
    assert all(event.leg == "main" and event.at_ns == AT_NS for event in events)
    listed = [json.loads(msgspec.json.encode(event)) for event in events]
    for event in listed:
        del event["leg"], event["at_ns"]
    return {"events": listed}
