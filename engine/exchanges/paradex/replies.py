"""Successful REST replies to events; what fails is `refusals`'."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from engine.exchanges.messages import HttpResponse
from engine.exchanges.paradex import wire
from engine.exchanges.paradex.instruments import same_rules
from engine.exchanges.paradex.refusals import refused
from engine.exchanges.paradex.translate import Translator, collateral, funding, moment_ns
from engine.exchanges.replies import Readers, Reply, on_grid, other_rules
from engine.model.account import Position
from engine.model.commands import (
    CancelOrder,
    Command,
    QueryBalances,
    QueryBook,
    QueryFills,
    QueryFunding,
    QueryInstrument,
    QueryOpenOrders,
    QueryOrder,
    QueryOrderHistory,
    QueryPosition,
    SubmitOrder,
)
from engine.model.events import (
    DepthSnapshot,
    Event,
)
from engine.model.instrument import Instrument

_ORDER = msgspec.json.Decoder(wire.OrderView)
_ORDERS = msgspec.json.Decoder(wire.Page[wire.OrderView])
_FILLS = msgspec.json.Decoder(wire.Page[wire.FillView])
_FUNDING = msgspec.json.Decoder(wire.Page[wire.FundingPayment])
_POSITIONS = msgspec.json.Decoder(wire.Page[wire.PositionView])
_ACCOUNT = msgspec.json.Decoder(wire.AccountView)
_BOOK = msgspec.json.Decoder(wire.OrderBook)
_MARKETS = msgspec.json.Decoder(wire.Page[wire.MarketView])


class ReplyDecoder:
    """One account and one market. Raises ValueError or a msgspec error for a success it cannot read."""

    def __init__(self, leg: str, instrument: Instrument, translator: Translator) -> None:
        self._leg = leg
        self._instrument = instrument
        self._translator = translator
        self._readers: Readers = {
            SubmitOrder: self._order,
            CancelOrder: Reply.cancel_acknowledged,
            QueryOrder: self._order,
            QueryOpenOrders: self._open_orders,
            QueryOrderHistory: self._history,
            QueryFills: self._fills,
            QueryFunding: self._funding,
            QueryPosition: self._position,
            QueryBalances: self._balances,
            QueryBook: self._snapshot,
            QueryInstrument: self._market,
        }

    def events(self, command: Command, response: HttpResponse, *, requested_ns: int, at_ns: int) -> Sequence[Event]:
        """The events a reply stands for, refusals included."""
        if not 200 <= response.status < 300:
            return refused(command, response, requested_ns=requested_ns, at_ns=at_ns)
        reply = Reply(leg=self._leg, command=command, body=response.body, requested_ns=requested_ns, at_ns=at_ns)
        return self._readers[type(command)](reply)

    def _order(self, reply: Reply) -> Sequence[Event]:
        """To a submit this only says that the order is queued. It counts as resting from here on, which is the
        cautious reading: it may be, and the venue's id is known. Whatever else becomes of it, its stream tells,
        and a stream that has nothing to tell of an order the venue took is noticed as dead."""
        return reply.order(self._translator.order(_ORDER.decode(reply.body)))

    def _open_orders(self, reply: Reply) -> Sequence[Event]:
        page = _ORDERS.decode(reply.body)
        if page.next:
            raise ValueError("the open orders do not fit one page")
        return reply.open_orders(map(self._translator.order, self._own_market(page.results)))

    def _history(self, reply: Reply) -> Sequence[Event]:
        page = _ORDERS.decode(reply.body)
        moments_ns = (moment_ns(row.created_at) for row in page.results)
        since_ns = reply.complete_since_ns(moments_ns, is_whole=not page.next)
        return reply.history(on_grid(self._translator.order, self._own_market(page.results)), since_ns=since_ns)

    def _fills(self, reply: Reply) -> Sequence[Event]:
        page = _FILLS.decode(reply.body)
        own = (row for row in page.results if row.market == self._translator.symbol)
        moments_ns = (moment_ns(row.created_at) for row in page.results)
        since_ns = reply.complete_since_ns(moments_ns, is_whole=not page.next)
        return reply.fills(map(self._translator.fill, own), since_ns=since_ns)

    def _funding(self, reply: Reply) -> Sequence[Event]:
        page = _FUNDING.decode(reply.body)
        own = (row for row in page.results if row.market == self._translator.symbol)
        moments_ns = (moment_ns(row.created_at) for row in page.results)
        since_ns = reply.complete_since_ns(moments_ns, is_whole=not page.next)
        return reply.funding(map(funding, own), since_ns=since_ns)

    def _position(self, reply: Reply) -> Sequence[Event]:
        rows = _POSITIONS.decode(reply.body).results
        own = [self._translator.position(row) for row in rows if row.market == self._translator.symbol]
        open_ones = [position for position in own if position.lots]
        return reply.position(open_ones[0] if open_ones else Position(lots=0))

    def _balances(self, reply: Reply) -> Sequence[Event]:
        return reply.balances([collateral(_ACCOUNT.decode(reply.body))])

    def _snapshot(self, reply: Reply) -> Sequence[Event]:
        book = _BOOK.decode(reply.body)
        snapshot = DepthSnapshot(
            at_ns=reply.at_ns,
            leg=self._leg,
            last_id=book.seq_no,
            bids=self._translator.levels(book.bids),
            asks=self._translator.levels(book.asks),
        )
        return (snapshot,)

    def _market(self, reply: Reply) -> Sequence[Event]:
        """Nobody has to hear that the market is as we know it; trading on an old grid would be wrong."""
        if not any(same_rules(market, self._instrument) for market in _MARKETS.decode(reply.body).results):
            raise other_rules(self._translator.symbol)
        return ()

    def _own_market(self, orders: Iterable[wire.OrderView]) -> Iterable[wire.OrderView]:
        return (order for order in orders if order.market == self._translator.symbol)
