"""WebSocket frames to events, in the order they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec
from msgspec import UNSET

from engine.errors import AuthenticationFailed, ProtocolError, VenueError
from engine.exchanges.decimals import exact
from engine.exchanges.paradex import wire
from engine.exchanges.paradex.reasons import NEVER_RESTED
from engine.exchanges.paradex.translate import SIDES, Translator, collateral
from engine.exchanges.paradex.wire_streams import BookRow, BookUpdate, RpcError, RpcMessage
from engine.model.events import (
    BalancesReported,
    DepthChanged,
    DepthSnapshot,
    Event,
    FundingAnnounced,
    Level,
    MarkPriceUpdated,
    OrderFilled,
    OrderUpdated,
    PositionReported,
    SubmitRejected,
    TradePrinted,
)
from engine.model.order import OrderStatus, RejectReason, Side

NOT_LOGGED_IN = frozenset({40110, 40111, 40112, 40300})
"""Malformed token, invalid token, a country not served, not authenticated."""

_MESSAGE = msgspec.json.Decoder(RpcMessage)
_BOOK = msgspec.json.Decoder(BookUpdate)
_SUMMARY = msgspec.json.Decoder(wire.SummaryView)
_TRADE = msgspec.json.Decoder(wire.TradeView)
_ORDER = msgspec.json.Decoder(wire.OrderView)
_FILL = msgspec.json.Decoder(wire.FillView)
_POSITION = msgspec.json.Decoder(wire.PositionView)
_FUNDING = msgspec.json.Decoder(wire.FundingPayment)
_ACCOUNT = msgspec.json.Decoder(wire.AccountView)


def book_channel(symbol: str) -> str:
    """Whole books of 15 levels, at most every 50 ms. Whether the numbers of `deltas` are consecutive is written
    nowhere, so a lost one could go unnoticed; nothing can be missing from a book that always comes whole."""
    return f"order_book.{symbol}.snapshot@15@50ms"


class FrameDecoder:
    """One account and one market. Raises ValueError or a msgspec error for what it cannot read."""

    def __init__(self, leg: str, translator: Translator) -> None:
        self._leg = leg
        self._translator = translator
        self._symbol = translator.symbol
        self._readers: dict[str, Callable[[msgspec.Raw, int], Sequence[Event]]] = {
            "order_book": self._book,
            "markets_summary": self._mark,
            "trades": self._trade,
            "orders": self._order,
            "fills": self._fill,
            "positions": self._position,
            "account": self._account,
            "funding_payments": self._funding,
        }

    def events(self, text: str | bytes, at_ns: int) -> Sequence[Event]:
        """The events of one frame; none for answers, and for channels that are not this market's."""
        message = _MESSAGE.decode(text)
        if message.error:
            raise _failure(message.error)
        if isinstance(message.result, dict) and message.result.get("enabled") is False:
            raise ProtocolError("Paradex did not switch cancel_on_disconnect on")
        if message.params is UNSET:
            return ()
        kind = message.params.channel.partition(".")[0]
        reader = self._readers.get(kind)
        return () if reader is None else reader(message.params.data, at_ns)

    def _book(self, data: msgspec.Raw, at_ns: int) -> Sequence[Event]:
        update = _BOOK.decode(data)
        if update.market != self._symbol:
            return ()
        number, rows = update.seq_no, (*update.inserts, *update.updates)
        bids, asks = self._side(rows, Side.BUY), self._side(rows, Side.SELL)
        if update.update_type == "s":
            return (DepthSnapshot(at_ns=at_ns, leg=self._leg, last_id=number, bids=bids, asks=asks),)
        gone = tuple(msgspec.structs.replace(row, size="0") for row in update.deletes)
        return (
            DepthChanged(
                at_ns=at_ns,
                leg=self._leg,
                first_id=number,
                last_id=number,
                bids=bids + self._side(gone, Side.BUY),
                asks=asks + self._side(gone, Side.SELL),
            ),
        )

    def _side(self, rows: Iterable[BookRow], side: Side) -> tuple[Level, ...]:
        return self._translator.levels((row.price, row.size) for row in rows if SIDES.get(row.side) is side)

    def _mark(self, data: msgspec.Raw, at_ns: int) -> Sequence[Event]:
        summary = _SUMMARY.decode(data)
        if summary.symbol != self._symbol or not summary.mark_price:
            return ()
        index, funding = summary.underlying_price, summary.funding_rate
        return (
            MarkPriceUpdated(
                at_ns=at_ns,
                leg=self._leg,
                mark=exact(summary.mark_price),
                index=exact(index) if index else None,
                funding_rate=exact(funding) if funding else None,
            ),
        )

    def _trade(self, data: msgspec.Raw, at_ns: int) -> Sequence[Event]:
        trade = _TRADE.decode(data)
        if trade.market != self._symbol or trade.side not in SIDES:
            return ()
        [(ticks, lots)] = self._translator.levels([(trade.price, trade.size)])
        return (TradePrinted(at_ns=at_ns, leg=self._leg, ticks=ticks, lots=lots, side=SIDES[trade.side]),)

    def _order(self, data: msgspec.Raw, at_ns: int) -> Sequence[Event]:
        """An order that failed behind the queue is a submit refused late: first why, so that whoever sent it
        waits before the next try, then that it is over."""
        order = _ORDER.decode(data)
        if order.market != self._symbol:
            return ()
        report = self._translator.order(order)
        updated = OrderUpdated(at_ns=at_ns, leg=self._leg, report=report)
        if report.status is not OrderStatus.REJECTED or report.client_id is None:
            return (updated,)
        reason = NEVER_RESTED.get(report.reason, RejectReason.OTHER)
        return (
            SubmitRejected(
                at_ns=at_ns,
                leg=self._leg,
                client_id=report.client_id,
                reason=reason,
                venue_words=report.reason,
            ),
            updated,
        )

    def _fill(self, data: msgspec.Raw, at_ns: int) -> Sequence[Event]:
        fill = _FILL.decode(data)
        if fill.market != self._symbol:
            return ()
        return (OrderFilled(at_ns=at_ns, leg=self._leg, fill=self._translator.fill(fill)),)

    def _position(self, data: msgspec.Raw, at_ns: int) -> Sequence[Event]:
        row = _POSITION.decode(data)
        if row.market != self._symbol:
            return ()
        position = self._translator.position(row)
        return (PositionReported(at_ns=at_ns, leg=self._leg, requested_ns=None, position=position),)

    def _funding(self, data: msgspec.Raw, at_ns: int) -> Sequence[Event]:
        if _FUNDING.decode(data).market != self._symbol:
            return ()
        return (FundingAnnounced(at_ns=at_ns, leg=self._leg),)

    def _account(self, data: msgspec.Raw, at_ns: int) -> Sequence[Event]:
        balances = (collateral(_ACCOUNT.decode(data)),)
        return (BalancesReported(at_ns=at_ns, leg=self._leg, requested_ns=None, balances=balances),)


def _failure(error: RpcError) -> VenueError:
    words = f"{error.code}: {error.message}"
    if error.code in NOT_LOGGED_IN:
        return AuthenticationFailed("Paradex does not accept a stream's token", venue_words=words)
    return ProtocolError("Paradex refused what a stream asked for", venue_words=words)
