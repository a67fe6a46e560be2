"""Successful REST replies to events; what fails is `refusals`'.

An accepted transaction is not an executed one. A submit that was taken gives no event: the order's own stream tells
what became of it, and if it does not, the next round of questions does. A cancel is acknowledged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from engine.clock import NS_PER_MS, NS_PER_S
from engine.errors import Unavailable
from engine.exchanges.lighter import wire
from engine.exchanges.lighter.encode import PAGE_ROWS
from engine.exchanges.lighter.instruments import same_rules
from engine.exchanges.lighter.refusals import is_success, refused
from engine.exchanges.lighter.translate import Translator, balance, funding
from engine.exchanges.messages import HttpResponse
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
    SetDeadMansSwitch,
    SubmitOrder,
)
from engine.model.events import (
    DepthSnapshot,
    Event,
    OrderNotFound,
)
from engine.model.instrument import Instrument

_ACCEPTED = msgspec.json.Decoder(wire.Accepted)
_ORDERS = msgspec.json.Decoder(wire.Orders)
_TRADES = msgspec.json.Decoder(wire.Trades)
_FUNDING = msgspec.json.Decoder(wire.PositionFundings)
_ACCOUNTS = msgspec.json.Decoder(wire.Accounts)
_RESTING = msgspec.json.Decoder(wire.RestingOrders)
_MARKETS = msgspec.json.Decoder(wire.MarketList)


class ReplyDecoder:
    """One account and one market. Raises ValueError or a msgspec error for a success it cannot read."""

    def __init__(self, leg: str, instrument: Instrument, translator: Translator) -> None:
        self._leg = leg
        self._instrument = instrument
        self._translator = translator
        self._readers: Readers = {
            SubmitOrder: self._taken,
            CancelOrder: self._taken,
            SetDeadMansSwitch: self._taken,
            QueryOrder: self._order,
            QueryOpenOrders: self._open_orders,
            QueryOrderHistory: self._history,
            QueryFills: self._fills,
            QueryFunding: self._funding,
            QueryPosition: self._position,
            QueryBalances: self._balances,
            QueryBook: self._book,
            QueryInstrument: self._market,
        }

    def events(self, command: Command, response: HttpResponse, *, requested_ns: int, at_ns: int) -> Sequence[Event]:
        """The events a reply stands for, refusals included."""
        if not is_success(response):
            return refused(command, response, at_ns=at_ns)
        reply = Reply(leg=self._leg, command=command, body=response.body, requested_ns=requested_ns, at_ns=at_ns)
        return self._readers[type(command)](reply)

    def _taken(self, reply: Reply) -> Sequence[Event]:
        _ACCEPTED.decode(reply.body)
        return reply.cancel_acknowledged() if isinstance(reply.command, CancelOrder) else ()

    def _order(self, reply: Reply) -> Sequence[Event]:
        assert isinstance(reply.command, QueryOrder)
        own_id = reply.command.client_id
        for report in map(self._translator.order, self._own_market(_ORDERS.decode(reply.body).orders)):
            if report.client_id == own_id:
                return reply.order(report)
        asked_ns = reply.requested_ns
        return (OrderNotFound(at_ns=reply.at_ns, leg=self._leg, requested_ns=asked_ns, client_id=own_id),)

    def _open_orders(self, reply: Reply) -> Sequence[Event]:
        return reply.open_orders(map(self._translator.order, self._own_market(_ORDERS.decode(reply.body).orders)))

    def _history(self, reply: Reply) -> Sequence[Event]:
        rows = _ORDERS.decode(reply.body).orders
        moments_ns = [row.updated_at * NS_PER_S for row in rows]
        since_ns = reply.complete_since_ns(moments_ns, is_whole=len(rows) < PAGE_ROWS, grain_ns=NS_PER_S)
        return reply.history(on_grid(self._translator.order, self._own_market(rows)), since_ns=since_ns)

    def _fills(self, reply: Reply) -> Sequence[Event]:
        rows = _TRADES.decode(reply.body).trades
        own = (row for row in rows if row.market_id == self._translator.market_index)
        moments_ns = [row.timestamp * NS_PER_MS for row in rows]
        since_ns = reply.complete_since_ns(moments_ns, is_whole=len(rows) < PAGE_ROWS)
        return reply.fills((fill for row in own for fill in self._translator.fills(row)), since_ns=since_ns)

    def _funding(self, reply: Reply) -> Sequence[Event]:
        rows = _FUNDING.decode(reply.body).position_fundings
        own = (row for row in rows if row.market_id == self._translator.market_index)
        moments_ns = [row.timestamp * NS_PER_S for row in rows]
        since_ns = reply.complete_since_ns(moments_ns, is_whole=len(rows) < PAGE_ROWS, grain_ns=NS_PER_S)
        return reply.funding(map(funding, own), since_ns=since_ns)

    def _position(self, reply: Reply) -> Sequence[Event]:
        held = Position(lots=0)
        for position in self._account(reply).positions:
            if position.market_id == self._translator.market_index:
                held = self._translator.position(position)
        return reply.position(held)

    def _balances(self, reply: Reply) -> Sequence[Event]:
        account = self._account(reply)
        return reply.balances([balance(account.collateral, account.available_balance)])

    def _account(self, reply: Reply) -> wire.AccountView:
        accounts = _ACCOUNTS.decode(reply.body).accounts
        if not accounts:
            raise Unavailable("Lighter knows no account of this index")
        return accounts[0]

    def _book(self, reply: Reply) -> Sequence[Event]:
        """For people: single orders, without a nonce that could join them to the stream, whose own snapshot is what
        books are made from."""
        found = _RESTING.decode(reply.body)
        bids, asks = self._translator.resting(found.bids), self._translator.resting(found.asks)
        return (DepthSnapshot(at_ns=reply.at_ns, leg=self._leg, last_id=0, bids=bids, asks=asks),)

    def _market(self, reply: Reply) -> Sequence[Event]:
        """Nobody has to hear that the market is as we know it; trading on an old grid would be wrong."""
        found = _MARKETS.decode(reply.body).order_book_details
        mine = [market for market in found if market.market_id == self._translator.market_index]
        if not mine or not same_rules(mine[0], self._instrument):
            raise other_rules(self._instrument.symbol)
        return ()

    def _own_market(self, orders: Iterable[wire.OrderView]) -> Iterable[wire.OrderView]:
        return (order for order in orders if order.market_index == self._translator.market_index)
