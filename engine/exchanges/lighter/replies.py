"""Successful REST replies to events; what fails is `refusals`'.

An accepted transaction is not an executed one. A submit that was taken gives no event: the order's own stream tells
what became of it, and if it does not, the next round of questions does. A cancel is acknowledged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from engine.clock import NS_PER_MS, NS_PER_S
from engine.errors import ProtocolError, Unavailable
from engine.exchanges.decimals import OffGrid
from engine.exchanges.lighter import wire
from engine.exchanges.lighter.encode import PAGE_ROWS
from engine.exchanges.lighter.instruments import same_rules
from engine.exchanges.lighter.refusals import is_success, refused
from engine.exchanges.lighter.translate import Translator, balance
from engine.exchanges.messages import HttpResponse
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
    SetDeadMansSwitch,
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
    OrderNotFound,
    OrderUpdated,
    PositionReported,
)
from engine.model.instrument import Instrument
from engine.model.order import OrderReport
from engine.model.value import Value

_ACCEPTED = msgspec.json.Decoder(wire.Accepted)
_ORDERS = msgspec.json.Decoder(wire.Orders)
_TRADES = msgspec.json.Decoder(wire.Trades)
_ACCOUNTS = msgspec.json.Decoder(wire.Accounts)
_RESTING = msgspec.json.Decoder(wire.RestingOrders)
_MARKETS = msgspec.json.Decoder(wire.MarketList)


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
            SubmitOrder: self._taken,
            CancelOrder: self._taken,
            SetDeadMansSwitch: self._taken,
            QueryOrder: self._order,
            QueryOpenOrders: self._open_orders,
            QueryOrderHistory: self._history,
            QueryFills: self._fills,
            QueryPosition: self._position,
            QueryBalances: self._balances,
            QueryBook: self._book,
            QueryInstrument: self._market,
        }

    def events(self, command: Command, response: HttpResponse, *, requested_ns: int, at_ns: int) -> Sequence[Event]:
        """The events a reply stands for, refusals included."""
        if not is_success(response):
            return refused(command, response, at_ns=at_ns)
        success = _Success(command=command, body=response.body, requested_ns=requested_ns, at_ns=at_ns)
        event = self._readers[type(command)](success)
        return () if event is None else (event,)

    def _taken(self, reply: _Success) -> CancelAcknowledged | None:
        _ACCEPTED.decode(reply.body)
        if not isinstance(reply.command, CancelOrder):
            return None
        return CancelAcknowledged(at_ns=reply.at_ns, leg=self._leg, client_id=reply.command.client_id)

    def _order(self, reply: _Success) -> OrderUpdated | OrderNotFound:
        assert isinstance(reply.command, QueryOrder)
        own_id = reply.command.client_id
        for report in self._reports(_ORDERS.decode(reply.body).orders):
            if report.client_id == own_id:
                return OrderUpdated(at_ns=reply.at_ns, leg=self._leg, report=report)
        return OrderNotFound(at_ns=reply.at_ns, leg=self._leg, requested_ns=reply.requested_ns, client_id=own_id)

    def _open_orders(self, reply: _Success) -> OpenOrdersReported:
        orders = tuple(self._reports(_ORDERS.decode(reply.body).orders))
        return OpenOrdersReported(at_ns=reply.at_ns, leg=self._leg, requested_ns=reply.requested_ns, orders=orders)

    def _history(self, reply: _Success) -> OrderHistoryReported:
        rows = _ORDERS.decode(reply.body).orders
        return OrderHistoryReported(
            at_ns=reply.at_ns,
            leg=self._leg,
            requested_ns=reply.requested_ns,
            since_ns=_complete_since(reply.command, [row.updated_at * NS_PER_S for row in rows], NS_PER_S),
            orders=tuple(self._on_grid(rows)),
        )

    def _fills(self, reply: _Success) -> FillsReported:
        rows = _TRADES.decode(reply.body).trades
        return FillsReported(
            at_ns=reply.at_ns,
            leg=self._leg,
            requested_ns=reply.requested_ns,
            since_ns=_complete_since(reply.command, [row.timestamp * NS_PER_MS for row in rows], NS_PER_MS),
            fills=tuple(
                fill
                for row in rows
                if row.market_id == self._translator.market_index
                for fill in self._translator.fills(row)
            ),
        )

    def _position(self, reply: _Success) -> PositionReported:
        held = Position(lots=0)
        for position in self._account(reply).positions:
            if position.market_id == self._translator.market_index:
                held = self._translator.position(position)
        return PositionReported(at_ns=reply.at_ns, leg=self._leg, requested_ns=reply.requested_ns, position=held)

    def _balances(self, reply: _Success) -> BalancesReported:
        account = self._account(reply)
        balances = (balance(account.collateral, account.available_balance),)
        return BalancesReported(
            at_ns=reply.at_ns, leg=self._leg, requested_ns=reply.requested_ns, balances=balances
        )

    def _account(self, reply: _Success) -> wire.AccountView:
        accounts = _ACCOUNTS.decode(reply.body).accounts
        if not accounts:
            raise Unavailable("Lighter knows no account of this index")
        return accounts[0]

    def _book(self, reply: _Success) -> DepthSnapshot:
        """For people: single orders, without a nonce that could join them to the stream, whose own snapshot is what
        books are made from."""
        found = _RESTING.decode(reply.body)
        bids, asks = self._translator.resting(found.bids), self._translator.resting(found.asks)
        return DepthSnapshot(at_ns=reply.at_ns, leg=self._leg, last_id=0, bids=bids, asks=asks)

    def _market(self, reply: _Success) -> None:
        """Nobody has to hear that the market is as we know it; trading on an old grid would be wrong."""
        found = _MARKETS.decode(reply.body).order_book_details
        mine = [market for market in found if market.market_id == self._translator.market_index]
        if not mine or not same_rules(mine[0], self._instrument):
            raise ProtocolError(
                f"{self._instrument.symbol} has other decimals or minimums than when this leg started",
                hint="restart the bot to take the market's new rules",
            )

    def _reports(self, orders: Iterable[wire.OrderView]) -> Iterable[OrderReport]:
        market = self._translator.market_index
        return (self._translator.order(order) for order in orders if order.market_index == market)

    def _on_grid(self, orders: Iterable[wire.OrderView]) -> Iterable[OrderReport]:
        """History reaches back past changes of the grid; rows from before one can be nobody's question now."""
        for order in orders:
            try:
                yield from self._reports((order,))
            except OffGrid:
                continue


def _complete_since(query: Command, moments_ns: Sequence[int], grain_ns: int) -> int:
    """From when on a page of newest rows is complete: all that was asked for, unless the page is full. Then the
    rest of the oldest row's second or millisecond may be missing too."""
    asked_ns = query.since_ns if isinstance(query, QueryOrderHistory | QueryFills) else 0
    if len(moments_ns) < PAGE_ROWS:
        return asked_ns
    return max(asked_ns, min(moments_ns) + grain_ns)
