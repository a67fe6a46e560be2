"""Orders as calls on the socket: the same terms and signatures as by REST, and answers that mean the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigInvalid
from engine.exchanges.interface import Context, SocketCodec
from engine.exchanges.messages import HttpRequest
from engine.exchanges.paradex.options import OrderEntry, ParadexOptions
from engine.exchanges.paradex.socket_entry import FIRST_ID, ParadexSocketEntry
from engine.exchanges.paradex.translate import client_text
from engine.exchanges.paradex.venue import VENUE, Paradex
from engine.exchanges.registry import configured_venue
from engine.model.commands import CancelOrder
from tests.wire.paradex.support import CLIENT_ID, COMMANDS, cases, codec, outcome_of_reply
from tests.wire.paradex.test_vectors import VECTORS

ENTRY = ParadexSocketEntry()
NOW = Context(now_ns=1_790_000_000_123_456_789, token="a.b.c")
SYMBOL = "SOL-USD-PERP"


def said(request: HttpRequest) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(ENTRY.frame(request, "7") or "null")
    return frame


def as_sdk(name: str) -> dict[str, Any]:
    frame: dict[str, Any] = VECTORS[name]["frames"][0]
    return {**frame, "id": FIRST_ID + 7}


def test_a_new_order_is_said_as_the_sdk_says_it_with_the_terms_of_its_request() -> None:
    request = codec().encode(COMMANDS["submit"], NOW)
    sdk = as_sdk("pA-ws-order.create")
    ours = said(request)
    assert ours["params"] == json.loads(request.body)
    assert set(ours["params"]) == set(sdk["params"])
    assert {**ours, "params": {}} == {**sdk, "params": {}}


def test_a_cancel_is_said_as_the_sdk_says_it() -> None:
    by_id = CancelOrder(leg="main", client_id=CLIENT_ID, venue_order_id="123")
    assert said(codec().encode(by_id, NOW)) == as_sdk("pA-ws-cancel_order")
    by_client_id = CancelOrder(leg="main", client_id=CLIENT_ID, venue_order_id=None)
    expected = as_sdk("pA-ws-cancel_order_by_client_id")
    assert expected["params"]["market"] == SYMBOL
    expected["params"] = {"client_id": client_text(CLIENT_ID), "market": SYMBOL}
    assert said(codec().encode(by_client_id, NOW)) == expected


def test_many_orders_are_one_call_as_the_documentation_has_it() -> None:
    order = json.loads(codec().encode(COMMANDS["submit"], NOW).body)
    request = HttpRequest(method="POST", target="/v1/orders/batch", body=json.dumps([order, order]).encode())
    call = said(request)
    assert (call["method"], call["params"]) == ("order.create_batch", {"orders": [order, order]})


def test_questions_and_cancels_of_many_go_by_rest() -> None:
    questions = [command for name, command in COMMANDS.items() if name.startswith("query")]
    requests = [codec().encode(question, NOW) for question in questions]
    requests.append(HttpRequest(method="DELETE", target="/v1/orders/batch", body=b'{"client_order_ids":["a"]}'))
    requests.append(HttpRequest(method="DELETE", target=f"/v1/orders?market={SYMBOL}"))
    assert [ENTRY.frame(request, "1") for request in requests] == [None] * len(requests)


@pytest.mark.parametrize("case", cases("socket_answers.json"), ids=lambda case: case["name"])
def test_an_answer_becomes_what_it_would_have_become_by_rest(case: dict[str, Any]) -> None:
    text = json.dumps(case["frame"])
    for frame in (text, text.encode()):
        answer = ENTRY.answer(frame)
        assert answer is not None and answer.request_id == "7"
        reply = {
            "command": case["command"],
            "status": answer.response.status,
            "text": answer.response.body.decode(),
        }
        assert outcome_of_reply(reply) == case["outcome"]


def test_the_answer_to_many_tells_the_taken_from_the_refused() -> None:
    rows = [{"order": {"client_id": "a"}, "created_at": 1}, {"error": "MARKET_NOT_OPEN: closed"}, {"error": "no"}]
    answer = ENTRY.answer(json.dumps({"jsonrpc": "2.0", "id": FIRST_ID + 7, "result": {"results": rows}}))
    assert answer is not None and answer.response.status == 201
    assert json.loads(answer.response.body) == {
        "orders": [{"client_id": "a"}],
        "errors": [
            {"error": "MARKET_NOT_OPEN", "message": "MARKET_NOT_OPEN: closed", "data": None},
            {"error": "", "message": "no", "data": None},
        ],
    }


@pytest.mark.parametrize("case", cases("frames.json"), ids=lambda case: case["name"])
def test_frames_that_nobody_asked_for_answer_nothing(case: dict[str, Any]) -> None:
    assert ENTRY.answer(json.dumps(case["frame"])) is None


@given(st.text() | st.binary())
def test_no_frame_surprises_it(tail: str | bytes) -> None:
    for head in ('{"id":1001,"result":', '{"id":1001,"error":{"code":100,"message":'):
        ENTRY.answer(head.encode() + tail if isinstance(tail, bytes) else head + tail)


def test_a_codec_has_an_entry_where_the_account_chose_the_socket() -> None:
    chosen, usual = codec(venue=Paradex(ParadexOptions(order_entry=OrderEntry.WEBSOCKET))), codec()
    assert isinstance(chosen, SocketCodec) and isinstance(usual, SocketCodec)
    assert usual.socket_entry is None and chosen.socket_entry is not None
    assert chosen.socket_entry.stream in {stream.name for stream in chosen.streams(NOW) if stream.private}


def test_the_switch_is_set_before_anything_else_and_only_where_it_is_chosen() -> None:
    chosen = configured_venue("paradex", {"order_entry": "websocket", "cancel_on_disconnect": True})
    assert (chosen.facts.cancels_on_disconnect, VENUE.facts.cancels_on_disconnect) == (True, False)
    login, switch, *rest = [json.loads(frame) for frame in codec(venue=chosen).streams(NOW)[0].frames]
    assert login["method"] == "auth"
    assert switch == {**VECTORS["pA-ws-cancel_on_disconnect"]["frames"][0], "id": 2}
    assert {frame["method"] for frame in rest} == {"subscribe"}
    assert all(frame["id"] < FIRST_ID for frame in rest)
    assert not any("cancel_on_disconnect" in frame for stream in codec().streams(NOW) for frame in stream.frames)


@pytest.mark.parametrize("options", [{"cancel_on_disconnect": True}, {"order_entry": "socket"}, {"tier": "gold"}])
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigInvalid):
        configured_venue("paradex", options)
