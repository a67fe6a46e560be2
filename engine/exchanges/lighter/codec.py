"""One account's conversation about one market of Lighter: the edge at which every odd message becomes a VenueError.
The work is done by `encode`, `replies` and `frames`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from engine.errors import AuthenticationFailed, ProtocolError
from engine.exchanges.interface import Context, NonceSource, SocketEntry
from engine.exchanges.lighter.encode import Encoder, Tokens
from engine.exchanges.lighter.frames import FrameDecoder
from engine.exchanges.lighter.nonces import KeyNonces
from engine.exchanges.lighter.replies import ReplyDecoder
from engine.exchanges.lighter.signing import ApiKey, Signer
from engine.exchanges.lighter.translate import Translator
from engine.exchanges.lighter.wire import Subscribe
from engine.exchanges.messages import HttpRequest, HttpResponse, Stream
from engine.exchanges.replies import UNREADABLE, unreadable_frame, unreadable_reply
from engine.model.commands import Command
from engine.model.events import Event
from engine.model.instrument import Instrument

PING, PONG = '{"type":"ping"}', '{"type":"pong"}'
HEARTBEAT_S = 30.0
"""The venue closes a socket that said nothing for two minutes."""
SILENCE_LIMIT_S = 75.0
"""Two of our pings went unanswered."""


class LighterCodec:
    """See `engine.exchanges.interface.Codec`. Tokens are signed here, so nothing has to log in."""

    gate = None

    def __init__(
        self,
        *,
        leg: str,
        instrument: Instrument,
        key: ApiKey,
        signer: Signer,
        ws_url: str,
        order_life_ms: int,
        socket_entry: SocketEntry | None = None,
    ) -> None:
        self.instrument = instrument
        self.socket_entry = socket_entry
        self.nonce_source: NonceSource = KeyNonces(key.account_index, key.api_key_index)
        self._ws_url = ws_url
        self._tokens = Tokens(signer)
        translator = Translator(instrument, key.account_index)
        self._encoder = Encoder(
            signer,
            self._tokens,
            account_index=key.account_index,
            market_index=translator.market_index,
            order_life_ms=order_life_ms,
        )
        self._replies = ReplyDecoder(leg, instrument, translator)
        self._frames = FrameDecoder(leg, translator, key.api_key_index)

    def streams(self, context: Context) -> tuple[Stream, ...]:
        """Two sockets, so that own orders are heard although the book's traffic is heavy, or its socket lost."""
        token = self._tokens.at(context.now_ns)
        account = [Subscribe(channel=channel, auth=token) for channel in self._frames.private_channels]
        good_for_s = self._tokens.good_for_s(context.now_ns)
        return self._stream("account", account, good_for_s), self._market_stream()

    def tape_stream(self) -> Stream:
        """See `engine.exchanges.interface.TapeCodec`."""
        return self._market_stream(self._frames.trade_channel)

    def _market_stream(self, *more: str) -> Stream:
        channels = (*self._frames.public_channels, *more)
        return self._stream("market", [Subscribe(channel=channel) for channel in channels], None)

    def encode(self, command: Command, context: Context) -> HttpRequest:
        """The request that carries out a command."""
        return self._encoder.request(command, context)

    def decode_reply(
        self, command: Command, response: HttpResponse, *, requested_ns: int, at_ns: int
    ) -> Sequence[Event]:
        """The events of a reply; a success that cannot be read leaves a submit or cancel unresolved (law 2)."""
        try:
            return self._replies.events(command, response, requested_ns=requested_ns, at_ns=at_ns)
        except AuthenticationFailed:
            self._tokens.forget()
            raise
        except UNREADABLE as error:
            raise unreadable_reply("Lighter", command, response, error) from error

    def decode_frame(self, text: str | bytes, *, at_ns: int) -> Sequence[Event]:
        """The events of one WebSocket frame. After a refused subscription the next one has a new token."""
        try:
            return self._frames.events(text, at_ns)
        except ProtocolError:
            self._tokens.forget()
            raise
        except UNREADABLE as error:
            raise unreadable_frame("Lighter", error) from error

    def answer_frame(self, text: str | bytes) -> str | None:
        """The venue may ask whether we are there."""
        said = text.decode(errors="replace") if isinstance(text, bytes) else text
        is_ping = len(said) < 2 * len(PING) and said.replace(" ", "") == PING
        return PONG if is_ping else None

    def _stream(self, name: str, subscriptions: list[Subscribe], good_for_s: float | None) -> Stream:
        return Stream(
            name=name,
            url=self._ws_url,
            frames=tuple(msgspec.json.encode(subscription).decode() for subscription in subscriptions),
            private=good_for_s is not None,
            good_for_s=good_for_s,
            silence_limit_s=SILENCE_LIMIT_S,
            heartbeat=PING,
            heartbeat_s=HEARTBEAT_S,
        )
