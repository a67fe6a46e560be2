"""The market, the key and the commands that all Lighter wire tests share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from engine.errors import VenueError
from engine.exchanges.interface import Codec, Credentials, Endpoints, Venue
from engine.exchanges.lighter.options import LighterOptions
from engine.exchanges.lighter.signing import ApiKey
from engine.exchanges.lighter.venue import Lighter
from engine.exchanges.messages import HttpResponse
from engine.model.instrument import Instrument
from tests.exchanges.samples import COMMANDS as SAMPLES
from tests.exchanges.samples import SWITCHES, submit

HERE = Path(__file__).parent
REQUESTED_NS = 1_800_000_000_000_000_000
AT_NS = 1_800_000_000_000_000_001
ACCOUNT = 392
COMMANDS = {
    **SAMPLES,
    **SWITCHES,
    "submit": submit(client_id=4294967297),
    "query_order": msgspec.structs.replace(SAMPLES["query_order"], client_id=4294967297),
}

VENUE = Lighter(LighterOptions(tx_lifetime_s=10))
"""Signs in Python, so that the same command gives the same bytes."""

VECTORS: dict[str, dict[str, Any]] = {
    case["name"]: case for case in json.loads((HERE / "vectors.json").read_text())["cases"]
}
KEYS = {case["key_ref"]: case["keys"] for case in VECTORS.values() if case["kind"] == "key"}


def api_key(ref: str) -> ApiKey:
    keys = KEYS[ref]
    return ApiKey(
        chain_id=keys["chain_id"],
        account_index=keys["account_index"],
        api_key_index=keys["api_key_index"],
        private_key=keys["api_private_key"],
    )


def instrument() -> Instrument:
    return msgspec.json.decode((HERE / "instruments.json").read_bytes(), type=dict[str, Instrument])["perp"]


def credentials() -> Credentials:
    return {"account_index": str(ACCOUNT), "api_key_index": "5", "api_private_key": KEYS["lB"]["api_private_key"]}


def codec(venue: Venue = VENUE) -> Codec:
    endpoints = Endpoints(rest_url="http://127.0.0.1", ws_url="ws://127.0.0.1/")
    return venue.codec(leg="main", instrument=instrument(), credentials=credentials(), endpoints=endpoints)


def cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((HERE / name).read_text())
    return found


def reply(case: dict[str, Any]) -> HttpResponse:
    body = case["text"].encode() if "text" in case else msgspec.json.encode(case["body"])
    return HttpResponse(status=case["status"], body=body)


def outcome_of_reply(case: dict[str, Any]) -> dict[str, Any]:
    command, response = COMMANDS[case["command"]], reply(case)
    try:
        return _events(codec().decode_reply(command, response, requested_ns=REQUESTED_NS, at_ns=AT_NS))
    except VenueError as error:
        return {"raises": type(error).__name__}


def outcome_of_frame(case: dict[str, Any]) -> dict[str, Any]:
    try:
        return _events(codec().decode_frame(json.dumps(case["frame"]), at_ns=AT_NS))
    except VenueError as error:
        return {"raises": type(error).__name__}


def _events(events: Any) -> dict[str, Any]:
    assert all(event.leg == "main" and event.at_ns == AT_NS for event in events)
    listed = [json.loads(msgspec.json.encode(event)) for event in events]
    for event in listed:
        del event["leg"], event["at_ns"]
    return {"events": listed}
