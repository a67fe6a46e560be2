"""Successful REST replies to events; what fails is `refusals`'."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from engine.clock import NS_PER_MS
from engine.errors import ProtocolError
from engine.exchanges.decimals import OffGrid
from engine.exchanges.messages import HttpResponse
from engine.exchanges.paradex import wire
from engine.exchanges.paradex.instruments import same_rules
from engine.exchanges.paradex.refusals import refused
from engine.exchanges.paradex.translate import Translator, collateral, moment_ns
from engine.model.account import Position
from engine.model.commands import (
    CancelOrder,
    Command,
    QueryBalances,
    QueryBook,
    QueryFills,
    QueryInstrument,
    QueryOpenOrders,
    QueryOrder,
    QueryOrderHistory,
    QueryPosition,
    SubmitOrder,
)
from engine.model.events import (
    BalancesReported,
    CancelAcknowledged,
    DepthSnapshot,
    Event,
    FillsReported,
    OpenOrdersReported,
    OrderHistoryReported,
    OrderUpdated,
    PositionReported,
)
from engine.model.instrument import Instrument
from engine.model.order import OrderReport
from engine.model.value import Value

_ORDER = msgspec.json.Decoder(wire.OrderView)
_ORDERS = msgspec.json.Decoder(wire.Page[wire.OrderView])
_FILLS = msgspec.json.Decoder(wire.Page[wire.FillView])
_POSITIONS = msgspec.json.Decoder(wire.Page[wire.PositionView])
_ACCOUNT = msgspec.json.Decoder(wire.AccountView)
_BOOK = msgspec.json.Decoder(wire.OrderBook)
_MARKETS = msgspec.json.Decoder(wire.Page[wire.MarketView])


class _Success(Value, frozen=True, kw_only=True):
    command: Command
    body: bytes
    requested_ns: int
    at_ns: int


class ReplyDecoder:
    """One account and one market. Raises ValueError or a msgspec error for a success it cannot read."""

    def __init__(self, leg: str, instrument: Instrument, translator: Translator) -> None:
        self._leg = leg
        self._instrument = instrument
        self._translator = translator
        self._readers: dict[type[Command], Callable[[_Success], Event | None]] = {
            SubmitOrder: self._order,
            QueryOrder: self._order,
            QueryOpenOrders: self._open_orders,
            QueryOrderHistory: self._history,
            QueryFills: self._fills,
            QueryPosition: self._position,
            QueryBalances: self._balances,
            QueryBook: self._snapshot,
            QueryInstrument: self._market,
        }

    def events(self, command: Command, response: HttpResponse, *, requested_ns: int, at_ns: int) -> Sequence[Event]:
        """The events a reply stands for, refusals included."""
        if not 200 <= response.status < 300:
            return refused(command, response, requested_ns=requested_ns, at_ns=at_ns)
        if isinstance(command, CancelOrder):
            return (CancelAcknowledged(at_ns=at_ns, leg=self._leg, client_id=command.client_id),)
        success = _Success(command=command, body=response.body, requested_ns=requested_ns, at_ns=at_ns)
        event = self._readers[type(command)](success)
        return () if event is None else (event,)

    def _order(self, reply: _Success) -> OrderUpdated:
        """To a submit this only says that the order is queued. It counts as resting from here on, which is the
        cautious reading: it may be, and the venue's id is known. Whatever else becomes of it, its stream tells,
        and a stream that has nothing to tell of an order the venue took is noticed as dead."""
        report = self._translator.order(_ORDER.decode(reply.body))
        return OrderUpdated(at_ns=reply.at_ns, leg=self._leg, report=report)

    def _open_orders(self, reply: _Success) -> OpenOrdersReported:
        page = _ORDERS.decode(reply.body)
        if page.next:
            raise ValueError("the open orders do not fit one page")
        return OpenOrdersReported(
            at_ns=reply.at_ns,
            leg=self._leg,
            requested_ns=reply.requested_ns,
            orders=tuple(self._translator.order(row) for row in self._own_market(page.results)),
        )

    def _history(self, reply: _Success) -> OrderHistoryReported:
        page = _ORDERS.decode(reply.body)
        return OrderHistoryReported(
            at_ns=reply.at_ns,
            leg=self._leg,
            requested_ns=reply.requested_ns,
            since_ns=_complete_since(reply.command, page.next, [row.created_at for row in page.results]),
            orders=tuple(self._on_grid(self._own_market(page.results))),
        )

    def _fills(self, reply: _Success) -> FillsReported:
        page = _FILLS.decode(reply.body)
        return FillsReported(
            at_ns=reply.at_ns,
            leg=self._leg,
            requested_ns=reply.requested_ns,
            since_ns=_complete_since(reply.command, page.next, [row.created_at for row in page.results]),
            fills=tuple(
                self._translator.fill(row) for row in page.results if row.market == self._translator.symbol
            ),
        )

    def _position(self, reply: _Success) -> PositionReported:
        rows = _POSITIONS.decode(reply.body).results
        own = [self._translator.position(row) for row in rows if row.market == self._translator.symbol]
        open_ones = [position for position in own if position.lots]
        position = open_ones[0] if open_ones else Position(lots=0)
        return PositionReported(
            at_ns=reply.at_ns, leg=self._leg, requested_ns=reply.requested_ns, position=position
        )

    def _balances(self, reply: _Success) -> BalancesReported:
        balances = (collateral(_ACCOUNT.decode(reply.body)),)
        return BalancesReported(
            at_ns=reply.at_ns, leg=self._leg, requested_ns=reply.requested_ns, balances=balances
        )

    def _snapshot(self, reply: _Success) -> DepthSnapshot:
        book = _BOOK.decode(reply.body)
        return DepthSnapshot(
            at_ns=reply.at_ns,
            leg=self._leg,
            last_id=book.seq_no,
            bids=self._translator.levels(book.bids),
            asks=self._translator.levels(book.asks),
        )

    def _market(self, reply: _Success) -> None:
        """Nobody has to hear that the market is as we know it; trading on an old grid would be wrong."""
        markets = _MARKETS.decode(reply.body).results
        if not any(same_rules(market, self._instrument) for market in markets):
            raise ProtocolError(
                f"{self._translator.symbol} has another tick size, lot size or minimum than when this leg started",
                hint="restart the bot to take the market's new rules",
            )

    def _own_market(self, orders: Iterable[wire.OrderView]) -> Iterable[wire.OrderView]:
        return (order for order in orders if order.market == self._translator.symbol)

    def _on_grid(self, orders: Iterable[wire.OrderView]) -> Iterable[OrderReport]:
        """History reaches back past changes of the grid; rows from before one can be nobody's question now."""
        for order in orders:
            try:
                yield self._translator.order(order)
            except OffGrid:
                continue


def _complete_since(query: Command, next_page: str | None, moments: Sequence[wire.Moment]) -> int:
    """From when on a page of newest rows is complete: all that was asked for, unless there are more pages. Then
    the rest of the oldest row's millisecond may be missing too."""
    asked_ns = query.since_ns if isinstance(query, QueryOrderHistory | QueryFills) else 0
    if not next_page or not moments:
        return asked_ns
    return max(asked_ns, min(moment_ns(moment) for moment in moments) + NS_PER_MS)
