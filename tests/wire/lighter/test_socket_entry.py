"""Transactions as frames of the socket: the same fields as by HTTP, and answers that mean the same."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.exchanges.interface import SocketCodec
from engine.exchanges.lighter.options import LighterOptions, OrderEntry
from engine.exchanges.lighter.socket_entry import LighterSocketEntry
from engine.exchanges.lighter.venue import Lighter
from engine.exchanges.messages import HttpRequest
from tests.exchanges.samples import COMMANDS
from tests.wire.lighter.support import codec
from tests.wire.lighter.test_messages import NOW

ENTRY = LighterSocketEntry()


def test_a_codec_has_an_entry_where_the_account_chose_the_socket() -> None:
    chosen, usual = (
        codec(Lighter(LighterOptions(order_entry=way))) for way in (OrderEntry.WEBSOCKET, OrderEntry.REST)
    )
    assert isinstance(chosen, SocketCodec) and isinstance(usual, SocketCodec)
    assert usual.socket_entry is None and chosen.socket_entry is not None
    assert chosen.socket_entry.stream in {stream.name for stream in chosen.streams(NOW)}


@pytest.mark.parametrize("command", ["submit", "cancel"])
def test_a_frame_carries_what_the_form_does(command: str) -> None:
    request = codec().encode(COMMANDS[command], NOW)
    said = json.loads(ENTRY.frame(request, "7") or "")
    form = dict(parse_qsl(request.body.decode()))
    assert said["type"] == "jsonapi/sendtx"
    info = json.loads(form["tx_info"])
    assert said["data"] == {"id": "7", "tx_type": int(form["tx_type"]), "tx_info": info}


def test_a_batch_stays_two_texts() -> None:
    types, infos = "[14,15]", '["{}","{}"]'
    body = f"tx_types={quote_plus(types)}&tx_infos={quote_plus(infos)}".encode()
    request = HttpRequest(method="POST", target="/api/v1/sendTxBatch", body=body)
    assert json.loads(ENTRY.frame(request, "1") or "") == {
        "type": "jsonapi/sendtxbatch",
        "data": {"id": "1", "tx_types": types, "tx_infos": infos},
    }


def test_questions_go_by_http() -> None:
    assert ENTRY.frame(codec().encode(COMMANDS["query_open_orders"], NOW), "1") is None


@pytest.mark.parametrize(
    ("frame", "request_id", "status", "code"),
    [
        ('{"type":"jsonapi/sendtx","id":"3","code":200,"tx_hash":"b9"}', "3", 200, 200),
        ('{"type":"jsonapi/sendtx","id":"3","error":{"code":21104,"message":"invalid nonce"}}', "3", 400, 21104),
        ('{"type":"jsonapi/sendtx","id":"3","code":21104,"message":"invalid nonce"}', "3", 400, 21104),
        ('{"error":{"code":21104,"message":"invalid nonce"}}', None, 400, 21104),
        ('{"type":"error","error":{"code":23000,"message":"Too Many Requests!"}}', None, 400, 23000),
    ],
)
def test_an_answer_is_what_http_would_have_said(frame: str, request_id: str | None, status: int, code: int) -> None:
    for text in (frame, frame.encode()):
        answer = ENTRY.answer(text)
        assert answer is not None and (answer.request_id, answer.response.status) == (request_id, status)
        assert json.loads(answer.response.body)["code"] == code


@pytest.mark.parametrize(
    "frame",
    [
        '{"type":"update/order_book","channel":"order_book:0"}',
        '{"error":{"code":30005,"message":"Invalid Channel"}}',
        '{"type":"jsonapi/other","id":"1","code":200}',
        '{"type":"jsonapi/sendtx","id":1}',
        '"jsonapi/sendtx"',
    ],
)
def test_other_frames_answer_nothing(frame: str) -> None:
    assert ENTRY.answer(frame) is None


@given(st.text() | st.binary())
def test_no_frame_surprises_it(tail: str | bytes) -> None:
    for head in ('{"type":"jsonapi/sendtx",', '{"error":'):
        ENTRY.answer(head.encode() + tail if isinstance(tail, bytes) else head + tail)
