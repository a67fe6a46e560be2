"""One account's conversation about one market of Backpack: the edge at which every odd message becomes a
VenueError. The work is done by `encode`, `replies` and `frames`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

import msgspec

from engine.clock import NS_PER_MS
from engine.errors import ProtocolError
from engine.exchanges.backpack.encode import Encoder
from engine.exchanges.backpack.frames import BALANCES, ORDERS, POSITIONS, FrameDecoder
from engine.exchanges.backpack.refusals import public_failure
from engine.exchanges.backpack.replies import ReplyDecoder, split
from engine.exchanges.backpack.signing import Parameters, Signer, build_request
from engine.exchanges.backpack.translate import Translator
from engine.exchanges.backpack.wire import AccountView, DepositAddress, NetEquityView
from engine.exchanges.backpack.wire_streams import Subscription
from engine.exchanges.decimals import exact
from engine.exchanges.interface import Collateral, Context, Leverage
from engine.exchanges.messages import HttpRequest, HttpResponse, Stream
from engine.exchanges.replies import UNREADABLE, unreadable_frame, unreadable_reply
from engine.model.commands import Batch, Command
from engine.model.events import Event
from engine.model.instrument import Instrument, MarketKind, plain

MARK_PRICE_SILENCE_S = 10.0
"""A perp's mark price comes every second even when nothing changes; spot has no such heartbeat."""

COLLATERAL_ASSET = "USDC"
"""What equity is told in."""
_NET_EQUITY = msgspec.json.Decoder(NetEquityView)
_ACCOUNT = msgspec.json.Decoder(AccountView)
_DEPOSIT = msgspec.json.Decoder(DepositAddress)

T = TypeVar("T")


class BackpackCodec:
    """See `engine.exchanges.interface.Codec`. Every request and subscription is signed by itself."""

    gate = None
    nonce_source = None

    def __init__(self, *, leg: str, instrument: Instrument, signer: Signer, ws_url: str) -> None:
        self.instrument = instrument
        self._signer = signer
        self._ws_url = ws_url
        translator = Translator(instrument)
        self._encoder = Encoder(instrument.kind, translator, signer)
        self._replies = ReplyDecoder(leg, instrument, translator)
        self._frames = FrameDecoder(leg, translator)

    def streams(self, context: Context) -> tuple[Stream, ...]:
        """Two sockets, so that own orders are heard although the book's traffic is heavy, or its socket lost."""
        symbol, is_perp = self.instrument.symbol, self.instrument.kind is MarketKind.PERP
        orders = f"{ORDERS}.{symbol}"
        # balanceUpdate leaves out lent funds, which a perp's balances count, so there only queries tell.
        account = (orders, f"{POSITIONS}.{symbol}") if is_perp else (orders, BALANCES)
        signature = self._signer.subscription(context.now_ns // NS_PER_MS)
        return (
            self._stream("account", Subscription(method="SUBSCRIBE", params=account, signature=signature), None),
            self._market_stream(),
        )

    def tape_stream(self) -> Stream:
        """See `engine.exchanges.interface.TapeCodec`."""
        return self._market_stream(f"trade.{self.instrument.symbol}")

    def encode(self, command: Command, context: Context) -> HttpRequest:
        """The request that carries out a command."""
        return self._encoder.request(command, context)

    def encode_batch(self, batch: Batch, context: Context) -> HttpRequest:
        """Several orders in one request. There is no request for several cancels that names them."""
        return self._encoder.batch(batch, context)

    def split_reply(self, batch: Batch, response: HttpResponse) -> Sequence[HttpResponse]:
        """Elements come in the order of the batch; one that was refused reads as the refusal of a single order."""
        try:
            return split(batch, response)
        except UNREADABLE as error:
            raise unreadable_reply("Backpack", batch, response, error) from error

    def decode_reply(
        self, command: Command, response: HttpResponse, *, requested_ns: int, at_ns: int
    ) -> Sequence[Event]:
        """The events of a reply; a success that cannot be read leaves a submit or cancel unresolved (law 2)."""
        try:
            return self._replies.events(command, response, requested_ns=requested_ns, at_ns=at_ns)
        except UNREADABLE as error:
            raise unreadable_reply("Backpack", command, response, error) from error

    def collateral_request(self, context: Context) -> HttpRequest:
        """See `engine.exchanges.interface.CollateralCodec`."""
        return self._ask("/api/v1/capital/collateral", {}, context)

    def decode_collateral(self, response: HttpResponse) -> Collateral:
        view = self._answer(response, _NET_EQUITY)
        equity, locked = exact(view.net_equity), exact(view.net_equity_locked)
        return Collateral(
            asset=COLLATERAL_ASSET, equity=equity, available=exact(view.net_equity_available), initial_margin=locked
        )

    def leverage_request(self, context: Context) -> HttpRequest:
        """See `engine.exchanges.interface.LeverageCodec`: one limit for the whole account."""
        return self._ask("/api/v1/account", {}, context)

    def decode_leverage(self, response: HttpResponse) -> Leverage:
        try:
            return Leverage(times=exact(self._answer(response, _ACCOUNT).leverage_limit), is_of_account=True)
        except ValueError as error:
            raise ProtocolError(f"Backpack's leverage limit makes no sense: {error}") from error

    def leverage_change(self, times: Decimal, context: Context) -> HttpRequest:
        """See `engine.exchanges.interface.LeverageChangingCodec`."""
        parameters = {"leverageLimit": plain(times)}
        return build_request(self._signer, "PATCH", "/api/v1/account", parameters, context.now_ns // NS_PER_MS)

    def decode_leverage_change(self, response: HttpResponse) -> None:
        if not 200 <= response.status < 300:
            raise public_failure(response)

    def deposit_request(self, blockchain: str, context: Context) -> HttpRequest:
        """See `engine.exchanges.interface.DepositCodec`."""
        return self._ask("/wapi/v1/capital/deposit/address", {"blockchain": blockchain}, context)

    def decode_deposit(self, response: HttpResponse) -> str:
        return self._answer(response, _DEPOSIT).address

    def _ask(self, path: str, parameters: Parameters, context: Context) -> HttpRequest:
        return build_request(self._signer, "GET", path, parameters, context.now_ns // NS_PER_MS)

    def _answer(self, response: HttpResponse, decoder: msgspec.json.Decoder[T]) -> T:
        if response.status != 200:
            raise public_failure(response)
        try:
            return decoder.decode(response.body)
        except UNREADABLE as error:
            raise ProtocolError(f"Backpack's answer makes no sense: {error}") from error

    def answer_frame(self, _text: str | bytes) -> None:
        """Backpack pings below the level of messages."""

    def decode_frame(self, text: str | bytes, *, at_ns: int) -> Sequence[Event]:
        """The events of one WebSocket frame."""
        try:
            return self._frames.events(text, at_ns)
        except UNREADABLE as error:
            raise unreadable_frame("Backpack", error) from error

    def _market_stream(self, *more: str) -> Stream:
        symbol, is_perp = self.instrument.symbol, self.instrument.kind is MarketKind.PERP
        market = (f"depth.{symbol}", f"markPrice.{symbol}") if is_perp else (f"depth.{symbol}",)
        silence_limit_s = MARK_PRICE_SILENCE_S if is_perp else None
        return self._stream("market", Subscription(method="SUBSCRIBE", params=market + more), silence_limit_s)

    def _stream(self, name: str, subscription: Subscription, silence_limit_s: float | None) -> Stream:
        return Stream(
            name=name,
            url=self._ws_url,
            frames=(msgspec.json.encode(subscription).decode(),),
            private=isinstance(subscription.signature, tuple),
            silence_limit_s=silence_limit_s,
        )
