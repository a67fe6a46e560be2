"""One account's conversation about one market of Paradex: the edge at which every odd message becomes a
VenueError. The work is done by `encode`, `replies`, `frames` and `gate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from engine.errors import ProtocolError
from engine.exchanges.interface import Collateral, Context, Leverage, SocketEntry
from engine.exchanges.messages import HttpRequest, HttpResponse, Stream
from engine.exchanges.paradex.batches import split
from engine.exchanges.paradex.encode import Encoder
from engine.exchanges.paradex.frames import FrameDecoder, book_channel
from engine.exchanges.paradex.gate import ParadexGate
from engine.exchanges.paradex.options import OrderEntry, ParadexOptions
from engine.exchanges.paradex.refusals import plain_failure
from engine.exchanges.paradex.replies import ReplyDecoder
from engine.exchanges.paradex.signing import Signer
from engine.exchanges.paradex.socket_entry import ParadexSocketEntry
from engine.exchanges.paradex.translate import Translator, margin
from engine.exchanges.paradex.wire import MarginConfigs, MarginView
from engine.exchanges.paradex.wire_streams import RpcRequest
from engine.exchanges.replies import UNREADABLE, unreadable_frame, unreadable_reply
from engine.model.commands import Batch, Command, QueryBalances
from engine.model.events import Event
from engine.model.instrument import Instrument

_ACCOUNT = msgspec.json.Decoder(MarginView)
_MARGINS = msgspec.json.Decoder(MarginConfigs)
_Call = tuple[str, dict[str, object]]
"""A method and its parameters."""


class ParadexCodec:
    """See `engine.exchanges.interface.Codec`."""

    nonce_source = None

    def __init__(
        self, *, leg: str, instrument: Instrument, signer: Signer, ws_url: str, options: ParadexOptions
    ) -> None:
        self.instrument = instrument
        self._leg = leg
        self.gate = ParadexGate(signer)
        self._ws_url = ws_url
        self._cancels_on_disconnect = options.cancel_on_disconnect
        by_socket = options.order_entry is OrderEntry.WEBSOCKET
        self.socket_entry: SocketEntry | None = ParadexSocketEntry() if by_socket else None
        translator = Translator(instrument)
        self._encoder = Encoder(translator, signer)
        self._replies = ReplyDecoder(leg, instrument, translator)
        self._frames = FrameDecoder(leg, translator)

    def streams(self, context: Context) -> tuple[Stream, ...]:
        """Two sockets, so that own orders are heard although the book's traffic is heavy, or its socket lost.

        A socket that has logged in stays so after its token has ended. Fills are subscribed before orders, so
        that an execution is heard before the order counts as done. The switch is set before anything can be placed.
        """
        symbol = self.instrument.symbol
        account: list[_Call] = [("auth", {"bearer": context.token})]
        if self._cancels_on_disconnect:
            account.append(("order.cancel_on_disconnect", {"enabled": True}))
        account += [_subscribe(name) for name in (f"fills.{symbol}", f"orders.{symbol}", "positions", "account")]
        account.append(_subscribe(f"funding_payments.{symbol}"))
        return (
            Stream(name="account", url=self._ws_url, frames=_numbered(account), private=True),
            self._market_stream(),
        )

    def tape_stream(self) -> Stream:
        """See `engine.exchanges.interface.TapeCodec`."""
        return self._market_stream(f"trades.{self.instrument.symbol}")

    def _market_stream(self, *more: str) -> Stream:
        symbol = self.instrument.symbol
        channels = (book_channel(symbol), f"markets_summary.{symbol}", *more)
        return Stream(
            name="market",
            url=self._ws_url,
            frames=_numbered([_subscribe(name) for name in channels]),
            private=False,
        )

    def encode(self, command: Command, context: Context) -> HttpRequest:
        """The request that carries out a command."""
        return self._encoder.request(command, context)

    def encode_batch(self, batch: Batch, context: Context) -> HttpRequest:
        """Several orders or cancels in one request; NotSent when one of them cannot be."""
        return self._encoder.batch(batch, context)

    def split_reply(self, batch: Batch, response: HttpResponse) -> Sequence[HttpResponse]:
        """Who is who, client ids tell; see `batches`."""
        try:
            return split(batch, response)
        except UNREADABLE as error:
            raise unreadable_reply("Paradex", batch, response, error) from error

    def decode_reply(
        self, command: Command, response: HttpResponse, *, requested_ns: int, at_ns: int
    ) -> Sequence[Event]:
        """The events of a reply; a success that cannot be read leaves a submit or cancel unresolved (law 2)."""
        try:
            return self._replies.events(command, response, requested_ns=requested_ns, at_ns=at_ns)
        except UNREADABLE as error:
            raise unreadable_reply("Paradex", command, response, error) from error

    def collateral_request(self, context: Context) -> HttpRequest:
        """See `engine.exchanges.interface.CollateralCodec`: the account's overview tells it all."""
        return self._encoder.request(QueryBalances(leg=self._leg), context)

    def decode_collateral(self, response: HttpResponse) -> Collateral:
        if response.status != 200:
            raise plain_failure(response)
        try:
            return margin(_ACCOUNT.decode(response.body))
        except UNREADABLE as error:
            raise ProtocolError(f"Paradex's account makes no sense: {error}") from error

    def leverage_request(self, context: Context) -> HttpRequest:
        """See `engine.exchanges.interface.LeverageCodec`: each market has its own."""
        return self._encoder.margin(context)

    def decode_leverage(self, response: HttpResponse) -> Leverage:
        if response.status != 200:
            raise plain_failure(response)
        try:
            configs = _MARGINS.decode(response.body).configs
            return Leverage(
                times=next(Decimal(one.leverage) for one in configs if one.market == self.instrument.symbol)
            )
        except (*UNREADABLE, StopIteration) as error:
            raise ProtocolError(f"Paradex's margin settings make no sense: {error}") from error

    def decode_frame(self, text: str | bytes, *, at_ns: int) -> Sequence[Event]:
        """The events of one WebSocket frame."""
        try:
            return self._frames.events(text, at_ns)
        except UNREADABLE as error:
            raise unreadable_frame("Paradex", error) from error

    def answer_frame(self, _text: str | bytes) -> None:
        """Paradex pings below the level of messages."""


def _subscribe(channel: str) -> _Call:
    return "subscribe", {"channel": channel}


def _numbered(calls: Sequence[_Call]) -> tuple[str, ...]:
    requests = (
        RpcRequest(id=number, method=method, params=params) for number, (method, params) in enumerate(calls, 1)
    )
    return tuple(msgspec.json.encode(request).decode() for request in requests)
