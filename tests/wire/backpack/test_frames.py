"""What Backpack's streams say, and what it must be taken for. The cases are in `frames.json`."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from engine.errors import ProtocolError
from engine.exchanges.backpack.wire import Order
from engine.exchanges.backpack.wire_streams import (
    DepthUpdate,
    Envelope,
    OrderUpdate,
    Subscription,
    error_frame,
    frame,
)
from engine.exchanges.interface import Context
from tests.wire.backpack.support import AT_NS, CODECS, cases, outcome_of_frame

CASES = cases("frames.json")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['leg']}: {case['name']}")
def test_a_frame_becomes_what_its_case_says(case: dict[str, Any]) -> None:
    expected = {key: case[key] for key in ("events", "raises") if key in case}
    assert outcome_of_frame(case) == expected


def test_a_refused_subscription_is_told_in_the_venues_words() -> None:
    with pytest.raises(ProtocolError) as caught:
        CODECS["perp"].decode_frame(error_frame(4006, "Invalid stream"), at_ns=AT_NS)
    assert caught.value.venue_words == "4006: Invalid stream"


def test_what_the_venues_side_encodes_is_what_the_documentation_shows() -> None:
    depth = DepthUpdate(
        sent_us=2, symbol="SOL_USDC", asks=(("18.70", "0.000"),), bids=(), first_id=7, last_id=8, engine_us=1
    )
    assert json.loads(frame("depth.SOL_USDC", depth)) == {
        "stream": "depth.SOL_USDC",
        "data": {"e": "depth", "E": 2, "s": "SOL_USDC", "a": [["18.70", "0.000"]], "b": [], "U": 7, "u": 8, "T": 1},
    }
    assert json.loads(error_frame(4002, "Parse error")) == {
        "id": None,
        "error": {"code": 4002, "message": "Parse error"},
    }


ORDER_FRAMES = [case for case in CASES if ".orderUpdate" in str(case["frame"].get("stream"))]


@pytest.mark.parametrize("case", ORDER_FRAMES, ids=lambda case: case["name"])
def test_decoding_what_was_encoded_gives_the_same_order_update(case: dict[str, Any]) -> None:
    envelope = msgspec.json.decode(json.dumps(case["frame"]), type=Envelope)
    assert isinstance(envelope.data, msgspec.Raw)
    update = msgspec.json.decode(envelope.data, type=OrderUpdate)
    assert msgspec.json.decode(msgspec.json.encode(update), type=OrderUpdate) == update
    assert json.loads(msgspec.json.encode(update)).items() >= case["frame"]["data"].items()


def test_unused_keys_of_an_order_are_null_and_not_missing() -> None:
    order = Order(order_type="Limit", id="1", symbol="SOL_USDC", side="Bid", status="New", created_at=1)
    written = json.loads(msgspec.json.encode(order))
    assert written["clientId"] is None
    assert written["triggerPrice"] is None
    assert "quoteQuantity" not in written
    assert "expiryReason" not in written


@pytest.mark.parametrize(
    ("kind", "private", "public"),
    [
        (
            "perp",
            ["account.orderUpdate.SOL_USDC_PERP", "account.positionUpdate.SOL_USDC_PERP"],
            ["depth.SOL_USDC_PERP", "markPrice.SOL_USDC_PERP"],
        ),
        ("spot", ["account.orderUpdate.SOL_USDC", "account.balanceUpdate"], ["depth.SOL_USDC"]),
    ],
)
def test_a_leg_keeps_one_private_and_one_public_stream(kind: str, private: list[str], public: list[str]) -> None:
    account, market = CODECS[kind].streams(Context(now_ns=1_700_000_000_000_000_000))
    assert (account.private, market.private) == (True, False)
    said = [msgspec.json.decode(stream.frames[0], type=Subscription) for stream in (account, market)]
    assert [list(subscription.params) for subscription in said] == [private, public]
    assert isinstance(said[0].signature, tuple)
    assert said[0].signature[2:] == ("1700000000000", "5000")
    assert said[1].signature is msgspec.UNSET
