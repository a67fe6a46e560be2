"""WebSocket frames to events, each with its own decoder, in the order they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from msgspec import UNSET, UnsetType

from engine.clock import NS_PER_MS
from engine.errors import ProtocolError
from engine.exchanges.backpack.translate import Translator, balance
from engine.exchanges.backpack.wire_streams import (
    BalanceUpdate,
    DepthUpdate,
    Envelope,
    MarkPriceUpdate,
    OrderUpdate,
    PositionUpdate,
    Trade,
)
from engine.exchanges.decimals import exact
from engine.model.events import (
    BalancesReported,
    DepthChanged,
    Event,
    MarkPriceUpdated,
    OrderFilled,
    OrderUpdated,
    PositionReported,
    TradePrinted,
)
from engine.model.order import Side

ORDERS, POSITIONS, BALANCES = "account.orderUpdate", "account.positionUpdate", "account.balanceUpdate"

_ENVELOPE = msgspec.json.Decoder(Envelope)
_DEPTH = msgspec.json.Decoder(DepthUpdate)
_MARK = msgspec.json.Decoder(MarkPriceUpdate)
_TRADE = msgspec.json.Decoder(Trade)
_ORDER = msgspec.json.Decoder(OrderUpdate)
_POSITION = msgspec.json.Decoder(PositionUpdate)
_BALANCE = msgspec.json.Decoder(BalanceUpdate)


class FrameDecoder:
    """One account and one market. Raises ValueError or a msgspec error for what it cannot read."""

    def __init__(self, leg: str, translator: Translator) -> None:
        self._leg = leg
        self._translator = translator
        symbol = self._symbol = translator.symbol
        self._readers: dict[str | UnsetType, Callable[[msgspec.Raw, int], Sequence[Event]]] = {
            f"depth.{symbol}": self._depth,
            f"markPrice.{symbol}": self._mark,
            f"trade.{symbol}": self._trade,
            ORDERS: self._order,
            f"{ORDERS}.{symbol}": self._order,
            POSITIONS: self._position,
            f"{POSITIONS}.{symbol}": self._position,
            BALANCES: self._balance,
        }

    def events(self, text: str | bytes, at_ns: int) -> Sequence[Event]:
        """The events of one frame; none for streams that are not this market's."""
        envelope = _ENVELOPE.decode(text)
        if envelope.error is not UNSET:
            words = f"{envelope.error.code}: {envelope.error.message}"
            raise ProtocolError("Backpack refused a subscription", venue_words=words)
        reader = self._readers.get(envelope.stream)
        if reader is None or envelope.data is UNSET:
            return ()
        return reader(envelope.data, at_ns)

    def _depth(self, data: msgspec.Raw, at_ns: int) -> Sequence[Event]:
        update = _DEPTH.decode(data)
        if update.symbol != self._symbol:
            return ()
        bids, asks = self._translator.levels(update.bids), self._translator.levels(update.asks)
        return (
            DepthChanged(
                at_ns=at_ns, leg=self._leg, first_id=update.first_id, last_id=update.last_id, bids=bids, asks=asks
            ),
        )

    def _mark(self, data: msgspec.Raw, at_ns: int) -> Sequence[Event]:
        update = _MARK.decode(data)
        if update.symbol != self._symbol:
            return ()
        index, funding = update.index_price, update.funding_rate
        return (
            MarkPriceUpdated(
                at_ns=at_ns,
                leg=self._leg,
                mark=exact(update.mark_price),
                index=None if index is None else exact(index),
                funding_rate=None if funding is None else exact(funding),
                funding_ns=update.next_funding_ms * NS_PER_MS if update.next_funding_ms else None,
            ),
        )

    def _trade(self, data: msgspec.Raw, at_ns: int) -> Sequence[Event]:
        trade = _TRADE.decode(data)
        if trade.symbol != self._symbol:
            return ()
        [(ticks, lots)] = self._translator.levels([(trade.price, trade.quantity)])
        side = Side.SELL if trade.buyer_is_maker else Side.BUY
        return (TradePrinted(at_ns=at_ns, leg=self._leg, ticks=ticks, lots=lots, side=side),)

    def _order(self, data: msgspec.Raw, at_ns: int) -> Sequence[Event]:
        """An execution goes before the order's new state, so that nobody ever sees the order done and the
        position not yet changed."""
        update = _ORDER.decode(data)
        if update.symbol != self._symbol:
            return ()
        updated = OrderUpdated(at_ns=at_ns, leg=self._leg, report=self._translator.order_update(update))
        if update.event != "orderFill":
            return (updated,)
        return (OrderFilled(at_ns=at_ns, leg=self._leg, fill=self._translator.stream_fill(update)), updated)

    def _position(self, data: msgspec.Raw, at_ns: int) -> Sequence[Event]:
        update = _POSITION.decode(data)
        if update.symbol != self._symbol:
            return ()
        position = self._translator.position(update.net_quantity, update.entry_price)
        return (PositionReported(at_ns=at_ns, leg=self._leg, requested_ns=None, position=position),)

    def _balance(self, data: msgspec.Raw, at_ns: int) -> Sequence[Event]:
        update = _BALANCE.decode(data)
        changed = (balance(update.asset, update),)
        return (BalancesReported(at_ns=at_ns, leg=self._leg, requested_ns=None, balances=changed),)
