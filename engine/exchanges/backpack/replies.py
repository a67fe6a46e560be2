"""Successful REST replies to events; what fails is `refusals`'."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from engine.exchanges.backpack import wire, wire_markets
from engine.exchanges.backpack.encode import PAGE_ROWS
from engine.exchanges.backpack.instruments import same_rules
from engine.exchanges.backpack.refusals import is_not_found, refused
from engine.exchanges.backpack.translate import Translator, balance, collateral_balance, funding, moment_ns
from engine.exchanges.messages import HttpResponse
from engine.exchanges.replies import Readers, Reply, on_grid, other_rules
from engine.model.account import Position
from engine.model.commands import (
    Batch,
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
from engine.model.instrument import Instrument, MarketKind

_ORDER = msgspec.json.Decoder(wire.Order)
_ORDERS = msgspec.json.Decoder(tuple[wire.Order, ...])
_FILLS = msgspec.json.Decoder(tuple[wire.Fill, ...])
_FUNDING = msgspec.json.Decoder(tuple[wire.FundingPayment, ...])
_POSITIONS = msgspec.json.Decoder(tuple[wire.PositionView, ...])
_BALANCES = msgspec.json.Decoder(dict[str, wire.Balance])
_COLLATERAL = msgspec.json.Decoder(wire.CollateralView)
_DEPTH = msgspec.json.Decoder(wire_markets.Depth)
_MARKET = msgspec.json.Decoder(wire_markets.MarketView)

_RAWS = msgspec.json.Decoder(tuple[msgspec.Raw, ...])
_ELEMENT = msgspec.json.Decoder(wire.BatchElement)

_NO_POSITIONS = HttpResponse(status=200, body=b"[]")
"""What a 404 to a position query stands for: the documentation knows both answers."""


class ReplyDecoder:
    """One account and one market. Raises ValueError or a msgspec error for a success it cannot read."""

    def __init__(self, leg: str, instrument: Instrument, translator: Translator) -> None:
        self._leg = leg
        self._instrument = instrument
        self._translator = translator
        self._readers: Readers = {
            SubmitOrder: self._order,
            CancelOrder: self._order,
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
        if isinstance(command, QueryPosition) and is_not_found(response):
            response = _NO_POSITIONS
        if not 200 <= response.status < 300:
            return refused(command, response, requested_ns=requested_ns, at_ns=at_ns)
        reply = Reply(leg=self._leg, command=command, body=response.body, requested_ns=requested_ns, at_ns=at_ns)
        if isinstance(command, CancelOrder) and (response.status == 202 or not response.body):
            return reply.cancel_acknowledged()
        return self._readers[type(command)](reply)

    def _order(self, reply: Reply) -> Sequence[Event]:
        return reply.order(self._translator.order(_ORDER.decode(reply.body)))

    def _open_orders(self, reply: Reply) -> Sequence[Event]:
        return reply.open_orders(map(self._translator.order, self._own_market(_ORDERS.decode(reply.body))))

    def _history(self, reply: Reply) -> Sequence[Event]:
        rows = _ORDERS.decode(reply.body)
        since_ns = _complete_since_ns(reply, [row.created_at for row in rows])
        return reply.history(on_grid(self._translator.order, self._own_market(rows)), since_ns=since_ns)

    def _fills(self, reply: Reply) -> Sequence[Event]:
        rows = _FILLS.decode(reply.body)
        own = (row for row in rows if row.symbol == self._translator.symbol)
        since_ns = _complete_since_ns(reply, [row.timestamp for row in rows])
        return reply.fills(map(self._translator.fill, own), since_ns=since_ns)

    def _funding(self, reply: Reply) -> Sequence[Event]:
        rows = _FUNDING.decode(reply.body)
        own = (row for row in rows if row.symbol == self._translator.symbol)
        since_ns = _complete_since_ns(reply, [row.interval_end_timestamp for row in rows])
        return reply.funding(map(funding, own), since_ns=since_ns)

    def _position(self, reply: Reply) -> Sequence[Event]:
        is_spot = self._instrument.kind is MarketKind.SPOT
        return reply.position(
            self._translator.holding(_BALANCES.decode(reply.body)) if is_spot else self._net(reply.body)
        )

    def _net(self, body: bytes) -> Position:
        for position in _POSITIONS.decode(body):
            if position.symbol == self._translator.symbol:
                return self._translator.position(position.net_quantity, position.entry_price)
        return Position(lots=0)

    def _balances(self, reply: Reply) -> Sequence[Event]:
        if self._instrument.kind is MarketKind.SPOT:
            return reply.balances(balance(asset, held) for asset, held in _BALANCES.decode(reply.body).items())
        return reply.balances(map(collateral_balance, _COLLATERAL.decode(reply.body).collateral))

    def _snapshot(self, reply: Reply) -> Sequence[Event]:
        depth = _DEPTH.decode(reply.body)
        snapshot = DepthSnapshot(
            at_ns=reply.at_ns,
            leg=self._leg,
            last_id=int(depth.last_update_id),
            bids=self._translator.levels(depth.bids),
            asks=self._translator.levels(depth.asks),
        )
        return (snapshot,)

    def _market(self, reply: Reply) -> Sequence[Event]:
        """Nobody has to hear that the market is as we know it; trading on an old grid would be wrong."""
        if not same_rules(_MARKET.decode(reply.body), self._instrument):
            raise other_rules(self._translator.symbol)
        return ()

    def _own_market(self, orders: Iterable[wire.Order]) -> Iterable[wire.Order]:
        return (order for order in orders if order.symbol == self._translator.symbol)


def split(batch: Batch, response: HttpResponse) -> Sequence[HttpResponse]:
    """The answers to a batch's items, one by one; a refusal of the whole is everybody's."""
    if response.status != 200:
        return (response,) * len(batch.items)
    elements = _RAWS.decode(response.body)
    if len(elements) != len(batch.items):
        raise ValueError(f"{len(elements)} answers to {len(batch.items)} orders")
    statuses = (200 if _ELEMENT.decode(element).operation == "Ok" else 400 for element in elements)
    return [HttpResponse(status=status, body=bytes(raw)) for status, raw in zip(statuses, elements, strict=True)]


def _complete_since_ns(reply: Reply, moments: Sequence[wire.Moment]) -> int:
    return reply.complete_since_ns(map(moment_ns, moments), is_whole=len(moments) < PAGE_ROWS)
