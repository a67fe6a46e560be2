"""WebSocket frames to events. What a frame is about stands in its channel: `order_book:0`, `user_stats:1077`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from engine.clock import NS_PER_MS
from engine.errors import ProtocolError
from engine.exchanges.decimals import exact
from engine.exchanges.lighter import wire
from engine.exchanges.lighter.instruments import PERCENT
from engine.exchanges.lighter.refusals import reason_of_words
from engine.exchanges.lighter.transactions import TxType
from engine.exchanges.lighter.translate import ENTRY_REFUSALS, Translator, balance
from engine.model.events import (
    BalancesReported,
    CancelRejected,
    DepthChanged,
    DepthSnapshot,
    Event,
    MarkPriceUpdated,
    NonceUsed,
    OrderFilled,
    OrderUpdated,
    PositionReported,
    SubmitRejected,
    TradePrinted,
)
from engine.model.order import Side

ALREADY_SUBSCRIBED = 30003
FAILED, EXECUTED, PENDING_FINAL = 0, 2, 3
"""What became of a transaction at the sequencer. One that failed may or may not have used its nonce."""
SNAPSHOT = "subscribed/"

_FRAME = msgspec.json.Decoder(wire.Frame)
_BOOK = msgspec.json.Decoder(wire.BookFrame)
_MARKET_STATS = msgspec.json.Decoder(wire.MarketStats)
_ORDERS = msgspec.json.Decoder(wire.OrderGroups)
_TRADES = msgspec.json.Decoder(wire.TradeGroups)
_POSITIONS = msgspec.json.Decoder(wire.PositionGroups)
_USER_STATS = msgspec.json.Decoder(wire.UserStats)
_TRANSACTIONS = msgspec.json.Decoder(tuple[wire.TransactionView, ...])

T = TypeVar("T")


class FrameDecoder:
    """One account and one market. Raises ValueError or a msgspec error for what it cannot read."""

    def __init__(self, leg: str, translator: Translator, api_key_index: int) -> None:
        self._leg = leg
        self._translator = translator
        self._api_key_index = api_key_index
        market, account = translator.market_index, translator.account_index
        self.public_channels = (f"order_book/{market}", f"market_stats/{market}")
        self.trade_channel = f"trade/{market}"
        self.private_channels = tuple(
            f"{name}/{account}"
            for name in (
                "account_all_orders",
                "account_all_trades",
                "account_all_positions",
                "user_stats",
                "account_tx",
            )
        )
        readers = (
            self._book,
            self._mark,
            self._orders,
            self._trades,
            self._positions,
            self._balance,
            self._transactions,
        )
        channels = (name.replace("/", ":") for name in (*self.public_channels, *self.private_channels))
        self._readers: dict[str | UnsetType, Callable[[wire.Frame, int], Iterable[Event]]]
        self._readers = dict(zip(channels, readers, strict=True))
        self._readers[self.trade_channel.replace("/", ":")] = self._prints

    def events(self, text: str | bytes, at_ns: int) -> Sequence[Event]:
        """The events of one frame; none for channels that are not ours."""
        frame = _FRAME.decode(text)
        if frame.type == "error" or frame.error:
            _raise(frame.error or wire.StreamError(code=0), text)
        reader = self._readers.get(frame.channel)
        return () if reader is None else tuple(reader(frame, at_ns))

    def _book(self, frame: wire.Frame, at_ns: int) -> Iterable[Event]:
        if frame.order_book is UNSET:
            return
        book = _BOOK.decode(frame.order_book)
        bids, asks = self._translator.levels(book.bids), self._translator.levels(book.asks)
        if _is_snapshot(frame):
            yield DepthSnapshot(at_ns=at_ns, leg=self._leg, last_id=book.nonce, bids=bids, asks=asks)
        elif book.begin_nonce is None:
            raise ValueError("an update of the book that does not say what it follows")
        elif bids or asks or book.nonce != book.begin_nonce:
            yield DepthChanged(
                at_ns=at_ns,
                leg=self._leg,
                first_id=book.begin_nonce + 1,
                last_id=book.nonce,
                bids=bids,
                asks=asks,
                previous_id=book.begin_nonce,
            )

    def _mark(self, frame: wire.Frame, at_ns: int) -> Iterable[Event]:
        if frame.market_stats is UNSET:
            return
        stats = _MARKET_STATS.decode(frame.market_stats)
        if stats.market_id == self._translator.market_index:
            yield MarkPriceUpdated(
                at_ns=at_ns,
                leg=self._leg,
                mark=exact(stats.mark_price),
                index=exact(stats.index_price),
                funding_rate=exact(stats.current_funding_rate) * PERCENT,
                funding_ns=stats.funding_timestamp * NS_PER_MS or None,
            )

    def _prints(self, frame: wire.Frame, at_ns: int) -> Iterable[Event]:
        """Everybody's trades. Those that stand in the snapshot were made before we listened."""
        if _is_snapshot(frame):
            return
        for trade in (*_members(_TRADES, frame.trades), *_members(_TRADES, frame.liquidation_trades)):
            [(ticks, lots)] = self._translator.levels([wire.PriceLevel(price=trade.price, size=trade.size)])
            side = Side.BUY if trade.is_maker_ask else Side.SELL
            yield TradePrinted(at_ns=at_ns, leg=self._leg, ticks=ticks, lots=lots, side=side)

    def _orders(self, frame: wire.Frame, at_ns: int) -> Iterable[Event]:
        """An order the sequencer would not have is a refusal too, so that the same price is not tried at once."""
        for order in _members(_ORDERS, frame.orders):
            if order.market_index != self._translator.market_index:
                continue
            report = self._translator.order(order)
            if order.status in ENTRY_REFUSALS and not report.executed_lots and report.client_id is not None:
                yield SubmitRejected(
                    at_ns=at_ns,
                    leg=self._leg,
                    client_id=report.client_id,
                    reason=ENTRY_REFUSALS[order.status],
                    venue_words=order.status,
                )
            yield OrderUpdated(at_ns=at_ns, leg=self._leg, report=report)

    def _trades(self, frame: wire.Frame, at_ns: int) -> Iterable[Event]:
        for trade in _members(_TRADES, frame.trades):
            if trade.market_id == self._translator.market_index:
                for fill in self._translator.fills(trade):
                    yield OrderFilled(at_ns=at_ns, leg=self._leg, fill=fill)

    def _positions(self, frame: wire.Frame, at_ns: int) -> Iterable[Event]:
        if frame.positions is UNSET:
            return
        said = _POSITIONS.decode(frame.positions)
        for position in said.values() if isinstance(said, dict) else said:
            if position.market_id == self._translator.market_index:
                held = self._translator.position(position)
                yield PositionReported(at_ns=at_ns, leg=self._leg, requested_ns=None, position=held)

    def _balance(self, frame: wire.Frame, at_ns: int) -> Iterable[Event]:
        if frame.stats is UNSET:
            return
        stats = _USER_STATS.decode(frame.stats)
        changed = (balance(stats.collateral, stats.available_balance),)
        yield BalancesReported(at_ns=at_ns, leg=self._leg, requested_ns=None, balances=changed)

    def _transactions(self, frame: wire.Frame, at_ns: int) -> Iterable[Event]:
        """What the sequencer refused after the API took it. What it executed shows on the other channels, but for
        the nonce that is used up by it."""
        if frame.txs is UNSET:
            return
        for transaction in _TRANSACTIONS.decode(frame.txs):
            if transaction.status == FAILED:
                yield from self._failure(transaction, at_ns)
            elif transaction.status in (EXECUTED, PENDING_FINAL):
                yield from self._executed(transaction, at_ns)

    def _executed(self, transaction: wire.TransactionView, at_ns: int) -> Iterable[Event]:
        """Every key of the account is heard here; each counts for itself."""
        info = _object(transaction.info)
        nonce, own_id = info.get("Nonce"), info.get("ClientOrderIndex")
        if info.get("ApiKeyIndex") == self._api_key_index and isinstance(nonce, int):
            client_id = own_id if isinstance(own_id, int) else None
            yield NonceUsed(at_ns=at_ns, leg=self._leg, nonce=nonce, client_id=client_id)

    def _failure(self, transaction: wire.TransactionView, at_ns: int) -> Iterable[Event]:
        info, words = _object(transaction.info), str(_object(transaction.event_info or "{}").get("ae", ""))
        if info.get("MarketIndex") != self._translator.market_index:
            return
        reason = reason_of_words(words)
        own_id = info.get("ClientOrderIndex" if transaction.type == TxType.CREATE_ORDER else "Index")
        if not isinstance(own_id, int):
            return
        if transaction.type == TxType.CREATE_ORDER:
            yield SubmitRejected(at_ns=at_ns, leg=self._leg, client_id=own_id, reason=reason, venue_words=words)
        elif transaction.type == TxType.CANCEL_ORDER:
            yield CancelRejected(at_ns=at_ns, leg=self._leg, client_id=own_id, reason=reason, venue_words=words)


def _members(
    decoder: msgspec.json.Decoder[dict[str, tuple[T, ...]] | tuple[T, ...]], raw: msgspec.Raw | UnsetType
) -> Iterable[T]:
    """All rows of a map by market, or of a plain list."""
    if raw is UNSET:
        return ()
    said = decoder.decode(raw)
    return [row for rows in said.values() for row in rows] if isinstance(said, dict) else said


def _is_snapshot(frame: wire.Frame) -> bool:
    return isinstance(frame.type, str) and frame.type.startswith(SNAPSHOT)


def _object(text: str) -> dict[str, object]:
    said = json.loads(text)
    if not isinstance(said, dict):
        raise ValueError("a transaction that is no object")
    return said


def _raise(error: wire.StreamError, text: str | bytes) -> None:
    """Hearing twice that a channel is subscribed harms nobody."""
    if error.code == ALREADY_SUBSCRIBED:
        return
    words = f"{error.code}: {error.message}" if error.message else str(text)[:300]
    raise ProtocolError("Lighter refused something on its stream", venue_words=words)
