"""Transactions over the WebSocket: the fields that a POST carries, as a frame.

Frames of one socket arrive in the order they left, so numbered transactions cannot overtake each other there. An
answer names its request; whether a refusal always does is not settled, so one that names none is taken too.
"""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import msgspec

from engine.exchanges.interface import SocketAnswer
from engine.exchanges.lighter.wire import Answer, EntryAnswer
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.exchanges.replies import UNREADABLE

STREAM = "account"
_TYPES = {"/api/v1/sendTx": "jsonapi/sendtx", "/api/v1/sendTxBatch": "jsonapi/sendtxbatch"}
_ABOUT_TRANSACTIONS = range(20_000, 30_000)
"""Codes from 30000 on are about the socket itself."""
_SUCCESS = 200
_ANSWER = msgspec.json.Decoder(EntryAnswer)


class LighterSocketEntry:
    """See `engine.exchanges.interface.SocketEntry`."""

    stream = STREAM

    def frame(self, request: HttpRequest, request_id: str) -> str | None:
        kind = _TYPES.get(request.target)
        if kind is None:
            return None
        data: dict[str, object] = {"id": request_id, **dict(parse_qsl(request.body.decode()))}
        if "tx_info" in data:
            data |= {"tx_type": int(str(data["tx_type"])), "tx_info": json.loads(str(data["tx_info"]))}
        return json.dumps({"type": kind, "data": data}, separators=(",", ":"))

    def answer(self, text: str | bytes) -> SocketAnswer | None:
        """Looks for two words first: nearly every frame is about something else."""
        words = text if isinstance(text, bytes) else text.encode(errors="replace")
        if b'"jsonapi/' not in words and b'"error"' not in words:
            return None
        try:
            said = _ANSWER.decode(words)
        except UNREADABLE:
            return None
        if said.type not in _TYPES.values() and (said.error is None or said.error.code not in _ABOUT_TRANSACTIONS):
            return None
        if said.error is None and said.code == _SUCCESS:
            return SocketAnswer(request_id=said.id, response=HttpResponse(status=_SUCCESS, body=words))
        refused = said.error or Answer(code=said.code, message=said.message)
        body = msgspec.json.encode(Answer(code=refused.code, message=refused.message))
        return SocketAnswer(request_id=said.id, response=HttpResponse(status=400, body=body))
