"""One account's conversation about one market of Aster: the edge at which every odd message becomes a VenueError.
The work is done by `encode`, `replies` and `frames`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from engine.errors import ProtocolError
from engine.exchanges.aster.encode import Encoder
from engine.exchanges.aster.frames import FrameDecoder, depth_stream, mark_stream, trade_stream
from engine.exchanges.aster.gate import ListenKeyGate
from engine.exchanges.aster.refusals import request_failure
from engine.exchanges.aster.replies import ReplyDecoder, leverage, split
from engine.exchanges.aster.signing import Signer
from engine.exchanges.aster.translate import Translator
from engine.exchanges.aster.wire_streams import Control
from engine.exchanges.interface import Context, Gate, Leverage
from engine.exchanges.messages import HttpRequest, HttpResponse, Stream
from engine.exchanges.replies import UNREADABLE, unreadable_frame, unreadable_reply
from engine.model.commands import Batch, Command
from engine.model.events import Event
from engine.model.instrument import Instrument, MarketKind, plain

MARK_PRICE_SILENCE_S = 10.0
"""A perp's mark price comes every second even when nothing changes; spot has no such heartbeat."""


class AsterCodec:
    """See `engine.exchanges.interface.Codec`."""

    nonce_source = None

    def __init__(self, *, leg: str, instrument: Instrument, signer: Signer, ws_url: str) -> None:
        self.instrument = instrument
        self._ws_url = ws_url.rstrip("/")
        translator = Translator(instrument)
        self._encoder = Encoder(instrument.kind, translator, signer)
        self.gate: Gate | None = ListenKeyGate(self._encoder)
        self._replies = ReplyDecoder(leg, instrument, translator)
        self._frames = FrameDecoder(leg, translator)

    def streams(self, context: Context) -> tuple[Stream, ...]:
        """The account's stream is named by the listenKey alone, so there is nothing to say on it."""
        account = Stream(name="account", url=f"{self._ws_url}/ws/{context.token}", frames=(), private=True)
        return account, self._market_stream()

    def tape_stream(self) -> Stream:
        """See `engine.exchanges.interface.TapeCodec`."""
        return self._market_stream(trade_stream(self.instrument.symbol.lower()))

    def _market_stream(self, *more: str) -> Stream:
        market, is_perp = self.instrument.symbol.lower(), self.instrument.kind is MarketKind.PERP
        names = (depth_stream(market), mark_stream(market)) if is_perp else (depth_stream(market),)
        return Stream(
            name="market",
            url=f"{self._ws_url}/stream",
            frames=(msgspec.json.encode(Control(method="SUBSCRIBE", params=names + more, id=1)).decode(),),
            private=False,
            silence_limit_s=MARK_PRICE_SILENCE_S if is_perp else None,
        )

    def encode(self, command: Command, context: Context) -> HttpRequest:
        """The request that carries out a command."""
        return self._encoder.request(command, context)

    def encode_batch(self, batch: Batch, context: Context) -> HttpRequest:
        """Up to five orders, or ten cancels, in one request; spot has none."""
        return self._encoder.batch(batch, context)

    def split_reply(self, batch: Batch, response: HttpResponse) -> Sequence[HttpResponse]:
        """Elements come in the order of the batch; one that was refused reads as the refusal of a single order."""
        try:
            return split(batch, response)
        except UNREADABLE as error:
            raise unreadable_reply("Aster", batch, response, error) from error

    def decode_reply(
        self, command: Command, response: HttpResponse, *, requested_ns: int, at_ns: int
    ) -> Sequence[Event]:
        """The events of a reply; a success that cannot be read leaves a submit or cancel unresolved (law 2)."""
        try:
            return self._replies.events(command, response, requested_ns=requested_ns, at_ns=at_ns)
        except UNREADABLE as error:
            raise unreadable_reply("Aster", command, response, error) from error

    def leverage_request(self, context: Context) -> HttpRequest:
        """See `engine.exchanges.interface.LeverageCodec`: each market of futures has its own."""
        return self._encoder.private("GET", "/positionRisk", f"symbol={self.instrument.symbol}", context)

    def decode_leverage(self, response: HttpResponse) -> Leverage:
        if response.status != 200:
            raise request_failure(response, "a question for leverage")
        try:
            return Leverage(times=leverage(response.body, self.instrument.symbol))
        except UNREADABLE as error:
            raise ProtocolError(f"Aster's leverage makes no sense: {error}") from error

    def leverage_change(self, times: Decimal, context: Context) -> HttpRequest:
        """See `engine.exchanges.interface.LeverageChangingCodec`."""
        parameters = f"symbol={self.instrument.symbol}&leverage={plain(times)}"
        return self._encoder.private("POST", "/leverage", parameters, context)

    def decode_leverage_change(self, response: HttpResponse) -> None:
        if response.status != 200:
            raise request_failure(response, "a change of leverage")

    def answer_frame(self, _text: str | bytes) -> None:
        """Aster pings below the level of messages."""

    def decode_frame(self, text: str | bytes, *, at_ns: int) -> Sequence[Event]:
        """The events of one WebSocket frame; AuthenticationFailed when it says that the listenKey has ended."""
        try:
            return self._frames.events(text, at_ns)
        except UNREADABLE as error:
            raise unreadable_frame("Aster", error) from error
