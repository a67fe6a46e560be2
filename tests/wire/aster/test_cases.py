"""What Aster answers and streams, and what it must be taken for, by `replies.json` and `frames.json`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest

from engine.clock import NS_PER_S, NS_PER_US
from engine.errors import ConfigInvalid, ProtocolError, RateLimited, VenueError
from engine.exchanges.aster.client_ids import client_id_of, client_id_text
from engine.exchanges.aster.codec import AsterCodec
from engine.exchanges.aster.encode import PAGE_ROWS
from engine.exchanges.interface import Access, CandleVenue, Context
from engine.exchanges.messages import HttpResponse
from engine.exchanges.registry import find_venue
from engine.model.commands import Batch, SubmitOrder
from engine.model.events import FillsReported
from engine.model.order import ApprovedOrder
from tests.wire.aster import support
from tests.wire.aster.support import AT_NS, COMMANDS, ENDPOINTS, REQUEST, REQUESTED_NS, cases, codec

REPLIES, FRAMES = cases("replies.json"), cases("frames.json")
NOW = Context(now_ns=REQUESTED_NS, nonce=REQUESTED_NS // NS_PER_US + 3)


def named(found: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", found, ids=lambda case: f"{case['leg']}: {case['name']}")


def expected(case: dict[str, Any]) -> dict[str, Any]:
    return {key: case[key] for key in ("events", "raises") if key in case}


@named(REPLIES)
def test_an_answer_becomes_what_its_case_says(case: dict[str, Any]) -> None:
    assert support.outcome_of_reply(case) == expected(case)


@named(FRAMES)
def test_a_frame_becomes_what_its_case_says(case: dict[str, Any]) -> None:
    assert support.outcome_of_frame(case) == expected(case)


def test_an_error_keeps_the_venues_words() -> None:
    response = HttpResponse(status=400, body=b'{"code":-1022,"msg":"Signature for this request is not valid."}')
    with pytest.raises(VenueError) as caught:
        codec("aster").decode_reply(COMMANDS["submit"], response, requested_ns=1, at_ns=2)
    assert caught.value.venue_words == "-1022: Signature for this request is not valid."


def test_a_full_page_of_fills_is_complete_only_since_its_oldest_row() -> None:
    case = next(case for case in REPLIES if case["name"].startswith("fills:"))
    rows = [{**case["body"][0], "id": n, "time": 1_799_950_000_000 + n} for n in range(PAGE_ROWS)]
    response = HttpResponse(status=200, body=msgspec.json.encode(rows))
    (event,) = codec("aster").decode_reply(
        COMMANDS["query_fills"], response, requested_ns=REQUESTED_NS, at_ns=AT_NS
    )
    assert isinstance(event, FillsReported)
    assert event.since_ns == 1_799_950_000_001_000_000


@pytest.mark.parametrize("client_id", [0, 1, (1 << 32) + 7, (1 << 48) - 1])
def test_a_client_id_is_text_of_at_most_36_letters_that_reads_back(client_id: int) -> None:
    text = client_id_text(client_id)
    assert len(text) <= 36
    assert client_id_of(text) == client_id


@pytest.mark.parametrize(
    "text", ["", "web_1", "botctl-", "botctl-07", "botctl--1", f"botctl-{1 << 48}", "botctl-7a"]
)
def test_other_text_is_nobodys_client_id(text: str) -> None:
    assert client_id_of(text) is None


CANDLE = [
    1499040000000,
    "0.0163",
    "0.8000",
    "0.0157",
    "0.0158",
    "148976.11",
    1499040059999,
    "2434.1",
    308,
    "1",
    "2",
    "0",
]


def test_candles_are_read_oldest_first_without_those_in_which_nothing_was_traded() -> None:
    """After the documentation's row; whether an interval without a trade is listed is not known."""
    venue = find_venue("aster")
    assert isinstance(venue, CandleVenue)
    idle = [1499040060000, "0.0158", "0.0158", "0.0158", "0.0158", "0", 1499040119999, "0", 0, "0", "0", "0"]
    (candle,) = venue.decode_candles(HttpResponse(status=200, body=json.dumps([CANDLE, idle]).encode()))
    assert candle.start_ns == 1499040000 * NS_PER_S
    prices = [str(price) for price in (candle.open, candle.high, candle.low, candle.close, candle.volume)]
    assert prices == ["0.0163", "0.8000", "0.0157", "0.0158", "148976.11"]


@pytest.mark.parametrize("body", [b"{", b"[[1]]", b'[[1,"x","1","1","1","1"]]', b"[7]"])
def test_candles_that_make_no_sense_are_a_protocol_error(body: bytes) -> None:
    venue = find_venue("aster-spot")
    assert isinstance(venue, CandleVenue)
    with pytest.raises(ProtocolError, match="candles make no sense"):
        venue.decode_candles(HttpResponse(status=200, body=body))
    with pytest.raises(RateLimited):
        venue.decode_candles(HttpResponse(status=429, body=body))


# Requests ----------------------------------------------------------------------------------------------------


def test_a_submit_carries_the_given_nonce_and_says_how_to_end() -> None:
    request = codec("aster").encode(COMMANDS["submit"], NOW)
    form = dict(parse_qsl(request.body.decode()))
    assert (request.method, request.target) == ("POST", "/fapi/v3/order")
    assert {
        name: form[name] for name in ("timeInForce", "newClientOrderId", "nonce", "newOrderRespType", "stpMode")
    } == {
        "timeInForce": "GTX",
        "newClientOrderId": "botctl-4294967303",
        "nonce": str(NOW.nonce),
        "newOrderRespType": "RESULT",
        "stpMode": "EXPIRE_TAKER",
    }
    assert list(form)[-4:] == ["nonce", "user", "signer", "signature"]


def test_old_keys_speak_the_old_api() -> None:
    venue = find_venue("aster")
    keys = {name: text for name, text in venue.throwaway_credentials("a").items() if name.startswith("api_")}
    old = venue.codec(leg="main", instrument=support.instrument("aster"), credentials=keys, endpoints=ENDPOINTS)
    request = old.encode(COMMANDS["query_position"], NOW)
    assert request.target.startswith("/fapi/v2/positionRisk?symbol=BTCUSDT&recvWindow=5000&timestamp=")
    assert dict(request.headers)["X-MBX-APIKEY"] == keys["api_key"]
    assert old.encode(COMMANDS["submit"], NOW).target == "/fapi/v1/order"
    assert venue.account_identity(keys) == keys["api_key"]


def test_credentials_of_neither_kind_are_a_configuration_error() -> None:
    for keys in ({}, {"user": "0x12", "private_key": "11" * 32}, {"user": "0x" + "1" * 40, "private_key": "zz"}):
        with pytest.raises(ConfigInvalid):
            find_venue("aster").codec(
                leg="main", instrument=support.instrument("aster"), credentials=keys, endpoints=ENDPOINTS
            )


def test_a_batch_is_one_request() -> None:
    aster = codec("aster")
    assert isinstance(aster, AsterCodec)
    order = SubmitOrder(leg="main", order=ApprovedOrder(request=REQUEST))
    request = aster.encode_batch(Batch(leg="main", items=(order, order)), NOW)
    form = dict(parse_qsl(request.body.decode()))
    listed = json.loads(form["batchOrders"])
    assert request.target == "/fapi/v3/batchOrders"
    assert [(one["symbol"], one["price"], one["quantity"]) for one in listed] == [("BTCUSDT", "86700", "0.01")] * 2


# The listenKey -----------------------------------------------------------------------------------------------


def test_a_listen_key_is_had_by_post_and_prolonged_by_put_and_never_deleted() -> None:
    gate = codec("aster").gate
    assert gate is not None
    login = gate.login(NOW)
    assert (login.method, login.target) == ("POST", "/fapi/v3/listenKey")
    access = gate.decode(HttpResponse(status=200, body=b'{"listenKey":"abc"}'), at_ns=5)
    assert access == Access(token="abc", renew_ns=5 + 1_800 * 10**9, expires_ns=5 + 3_600 * 10**9)
    renewal = gate.renewal(access, NOW)
    assert (renewal.method, renewal.target) == ("PUT", "/fapi/v3/listenKey")
    assert gate.decode(HttpResponse(status=200, body=b"{}"), at_ns=9).token == "abc"


def test_an_answer_without_a_listen_key_is_no_answer() -> None:
    gate = codec("aster").gate
    assert gate is not None
    for body in (b"{}", b"", b"[", b'{"listenKey":7}'):
        with pytest.raises(ProtocolError):
            gate.decode(HttpResponse(status=200, body=body), at_ns=5)


def test_the_accounts_stream_is_named_by_the_listen_key() -> None:
    account, market = codec("aster").streams(Context(now_ns=1, token="abc"))
    assert (account.url, account.private) == ("ws://127.0.0.1/ws/abc", True)
    assert market.url == "ws://127.0.0.1/stream"
    assert json.loads(market.frames[0])["params"] == ["btcusdt@depth@100ms", "btcusdt@markPrice@1s"]
