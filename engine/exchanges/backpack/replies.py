"""Successful REST replies to events; what fails is `refusals`'."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from engine.clock import NS_PER_MS
from engine.errors import ProtocolError
from engine.exchanges.backpack import wire
from engine.exchanges.backpack.encode import PAGE_ROWS
from engine.exchanges.backpack.instruments import same_rules
from engine.exchanges.backpack.refusals import is_not_found, refused
from engine.exchanges.backpack.translate import Translator, balance, collateral_balance, moment_ns
from engine.exchanges.decimals import OffGrid
from engine.exchanges.messages import HttpResponse
from engine.model.account import Position
from engine.model.commands import (
    Batch,
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
from engine.model.instrument import Instrument, MarketKind
from engine.model.order import OrderReport
from engine.model.value import Value

_ORDER = msgspec.json.Decoder(wire.Order)
_ORDERS = msgspec.json.Decoder(tuple[wire.Order, ...])
_FILLS = msgspec.json.Decoder(tuple[wire.Fill, ...])
_POSITIONS = msgspec.json.Decoder(tuple[wire.PositionView, ...])
_BALANCES = msgspec.json.Decoder(dict[str, wire.Balance])
_COLLATERAL = msgspec.json.Decoder(wire.CollateralView)
_DEPTH = msgspec.json.Decoder(wire.Depth)
_MARKET = msgspec.json.Decoder(wire.MarketView)

_RAWS = msgspec.json.Decoder(tuple[msgspec.Raw, ...])
_ELEMENT = msgspec.json.Decoder(wire.BatchElement)

_NO_POSITIONS = HttpResponse(status=200, body=b"[]")
"""What a 404 to a position query stands for: the documentation knows both answers."""


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
            CancelOrder: self._order,
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
        if isinstance(command, QueryPosition) and is_not_found(response):
            response = _NO_POSITIONS
        if not 200 <= response.status < 300:
            return refused(command, response, requested_ns=requested_ns, at_ns=at_ns)
        if isinstance(command, CancelOrder) and (response.status == 202 or not response.body):
            return (CancelAcknowledged(at_ns=at_ns, leg=self._leg, client_id=command.client_id),)
        success = _Success(command=command, body=response.body, requested_ns=requested_ns, at_ns=at_ns)
        event = self._readers[type(command)](success)
        return () if event is None else (event,)

    def _order(self, reply: _Success) -> OrderUpdated:
        report = self._translator.order(_ORDER.decode(reply.body))
        return OrderUpdated(at_ns=reply.at_ns, leg=self._leg, report=report)

    def _open_orders(self, reply: _Success) -> OpenOrdersReported:
        rows = self._own_market(_ORDERS.decode(reply.body))
        return OpenOrdersReported(
            at_ns=reply.at_ns,
            leg=self._leg,
            requested_ns=reply.requested_ns,
            orders=tuple(self._translator.order(row) for row in rows),
        )

    def _history(self, reply: _Success) -> OrderHistoryReported:
        rows = _ORDERS.decode(reply.body)
        return OrderHistoryReported(
            at_ns=reply.at_ns,
            leg=self._leg,
            requested_ns=reply.requested_ns,
            since_ns=_complete_since(reply.command, [row.created_at for row in rows]),
            orders=tuple(self._on_grid(self._own_market(rows))),
        )

    def _fills(self, reply: _Success) -> FillsReported:
        rows = _FILLS.decode(reply.body)
        return FillsReported(
            at_ns=reply.at_ns,
            leg=self._leg,
            requested_ns=reply.requested_ns,
            since_ns=_complete_since(reply.command, [row.timestamp for row in rows]),
            fills=tuple(self._translator.fill(row) for row in rows if row.symbol == self._translator.symbol),
        )

    def _position(self, reply: _Success) -> PositionReported:
        is_spot = self._instrument.kind is MarketKind.SPOT
        position = self._translator.holding(_BALANCES.decode(reply.body)) if is_spot else self._net(reply.body)
        return PositionReported(
            at_ns=reply.at_ns, leg=self._leg, requested_ns=reply.requested_ns, position=position
        )

    def _net(self, body: bytes) -> Position:
        for position in _POSITIONS.decode(body):
            if position.symbol == self._translator.symbol:
                return self._translator.position(position.net_quantity, position.entry_price)
        return Position(lots=0)

    def _balances(self, reply: _Success) -> BalancesReported:
        if self._instrument.kind is MarketKind.SPOT:
            balances = tuple(balance(asset, held) for asset, held in _BALANCES.decode(reply.body).items())
        else:
            balances = tuple(collateral_balance(held) for held in _COLLATERAL.decode(reply.body).collateral)
        return BalancesReported(
            at_ns=reply.at_ns, leg=self._leg, requested_ns=reply.requested_ns, balances=balances
        )

    def _snapshot(self, reply: _Success) -> DepthSnapshot:
        depth = _DEPTH.decode(reply.body)
        return DepthSnapshot(
            at_ns=reply.at_ns,
            leg=self._leg,
            last_id=int(depth.last_update_id),
            bids=self._translator.levels(depth.bids),
            asks=self._translator.levels(depth.asks),
        )

    def _market(self, reply: _Success) -> None:
        """Nobody has to hear that the market is as we know it; trading on an old grid would be wrong."""
        if not same_rules(_MARKET.decode(reply.body), self._instrument):
            raise ProtocolError(
                f"{self._translator.symbol} has another tick size, lot size or minimum than when this leg started",
                hint="restart the bot to take the market's new rules",
            )

    def _own_market(self, orders: Iterable[wire.Order]) -> Iterable[wire.Order]:
        return (order for order in orders if order.symbol == self._translator.symbol)

    def _on_grid(self, orders: Iterable[wire.Order]) -> Iterable[OrderReport]:
        """History reaches back past changes of the grid; rows from before one can be nobody's question now."""
        for order in orders:
            try:
                yield self._translator.order(order)
            except OffGrid:
                continue


def split(batch: Batch, response: HttpResponse) -> Sequence[HttpResponse]:
    """The answers to a batch's items, one by one; a refusal of the whole is everybody's."""
    if response.status != 200:
        return (response,) * len(batch.items)
    elements = _RAWS.decode(response.body)
    if len(elements) != len(batch.items):
        raise ValueError(f"{len(elements)} answers to {len(batch.items)} orders")
    statuses = (200 if _ELEMENT.decode(element).operation == "Ok" else 400 for element in elements)
    return [HttpResponse(status=status, body=bytes(raw)) for status, raw in zip(statuses, elements, strict=True)]


def _complete_since(query: Command, moments: Sequence[wire.Moment]) -> int:
    """From when on a page of newest rows is complete: all that was asked for, unless the page is full. Then
    the rest of the oldest row's millisecond may be missing too."""
    asked_ns = query.since_ns if isinstance(query, QueryOrderHistory | QueryFills) else 0
    if len(moments) < PAGE_ROWS:
        return asked_ns
    return max(asked_ns, min(moment_ns(moment) for moment in moments) + NS_PER_MS)
