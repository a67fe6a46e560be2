"""The toy's conversation: a command is its name and its fields, an answer is a list of events."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

import msgspec

from engine.errors import AuthenticationFailed, ProtocolError, RateLimited, Unavailable, Unresolved
from engine.exchanges.interface import Context
from engine.exchanges.messages import HttpRequest, HttpResponse, Stream
from engine.model.commands import CancelOrder, Command, SubmitOrder
from engine.model.events import (
    BalancesReported,
    CancelAcknowledged,
    DepthChanged,
    DepthSnapshot,
    Event,
    FillsReported,
    OpenOrdersReported,
    OrderFilled,
    OrderHistoryReported,
    OrderUpdated,
    PositionReported,
    SubmitRejected,
)
from engine.model.instrument import Instrument

WIRE = msgspec.json.Decoder(
    list[
        BalancesReported
        | CancelAcknowledged
        | DepthChanged
        | DepthSnapshot
        | FillsReported
        | OpenOrdersReported
        | OrderFilled
        | OrderHistoryReported
        | OrderUpdated
        | PositionReported
        | SubmitRejected
    ]
)
UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


class ToyCodec:
    gate = None
    nonce_source = None

    def __init__(self, leg: str, instrument: Instrument, key: str, secret: str, ws_url: str) -> None:
        self.instrument = instrument
        self._leg = leg
        self._key = key
        self._secret = secret
        self._ws_url = ws_url

    def streams(self, context: Context) -> tuple[Stream, ...]:
        word = f"{self._key} {context.now_ns} {self._sign(str(context.now_ns).encode())}"
        return (
            Stream(name="account", url=self._ws_url, frames=(f"account {word}",), private=True),
            Stream(name="market", url=self._ws_url, frames=(f"market {self.instrument.symbol}",), private=False),
        )

    def encode(self, command: Command, context: Context) -> HttpRequest:
        body = msgspec.json.encode(command)
        signed = (("x-key", self._key), ("x-time", str(context.now_ns)), ("x-signature", self._sign(body)))
        return HttpRequest(method="POST", target=f"/{type(command).__name__}", headers=signed, body=body)

    def decode_reply(
        self, command: Command, response: HttpResponse, *, requested_ns: int, at_ns: int
    ) -> Sequence[Event]:
        if response.status == 429:
            raise RateLimited("too many requests")
        if response.status in (401, 403):
            raise AuthenticationFailed("the key is not accepted")
        may_be_done = isinstance(command, SubmitOrder | CancelOrder)
        if response.status != 200:
            raise (Unresolved if may_be_done else Unavailable)(f"status {response.status}")
        try:
            return self._events(response.body, at_ns)
        except UNREADABLE as error:
            raise (Unresolved if may_be_done else ProtocolError)("the answer makes no sense") from error

    def decode_frame(self, text: str | bytes, *, at_ns: int) -> Sequence[Event]:
        try:
            return self._events(text, at_ns)
        except UNREADABLE as error:
            raise ProtocolError("the frame makes no sense") from error

    def answer_frame(self, text: str | bytes) -> str | None:
        return None

    def _events(self, text: str | bytes, at_ns: int) -> list[Event]:
        return [msgspec.structs.replace(event, at_ns=at_ns, leg=self._leg) for event in WIRE.decode(text)]

    def _sign(self, text: bytes) -> str:
        return hmac.digest(self._secret.encode(), text, "sha256").hex()
