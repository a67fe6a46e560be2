"""Successful REST replies to events; what fails is `refusals`'."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from engine.clock import NS_PER_MS, NS_PER_S
from engine.exchanges.aster import wire
from engine.exchanges.aster.encode import PAGE_ROWS
from engine.exchanges.aster.instruments import instruments, same_rules
from engine.exchanges.aster.refusals import refused
from engine.exchanges.aster.translate import WOULD_CROSS, Translator, funding, futures_balance, spot_balance
from engine.exchanges.aster.wire_streams import FUNDING_FEE
from engine.exchanges.decimals import exact
from engine.exchanges.messages import HttpResponse
from engine.exchanges.replies import Readers, Reply, on_grid, other_rules
from engine.model.account import Balance
from engine.model.commands import (
    AmendOrder,
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
    SetDeadMansSwitch,
    SubmitOrder,
)
from engine.model.events import (
    DepthSnapshot,
    Event,
    OrderAmended,
    OrderUpdated,
    SubmitRejected,
)
from engine.model.instrument import Instrument, MarketKind
from engine.model.order import OrderReport, RejectReason

_ORDER = msgspec.json.Decoder(wire.Order)
_ORDERS = msgspec.json.Decoder(tuple[wire.Order, ...])
_TRADES = msgspec.json.Decoder(tuple[wire.UserTrade, ...])
_INCOME = msgspec.json.Decoder(tuple[wire.Income, ...])
_POSITIONS = msgspec.json.Decoder(tuple[wire.PositionView, ...])
_LEVERAGES = msgspec.json.Decoder(tuple[wire.LeverageView, ...])
_FUTURES_BALANCES = msgspec.json.Decoder(tuple[wire.FuturesBalance, ...])
_SPOT_ACCOUNT = msgspec.json.Decoder(wire.SpotAccount)
_DEPTH = msgspec.json.Decoder(wire.Depth)
_COUNTDOWN = msgspec.json.Decoder(wire.Countdown)
_EXCHANGE = msgspec.json.Decoder(wire.ExchangeInfoView)

_RAWS = msgspec.json.Decoder(tuple[msgspec.Raw, ...])
_ELEMENT = msgspec.json.Decoder(wire.BatchElement)

_PAST_NS = 7 * 24 * 3_600 * NS_PER_S - 60 * NS_PER_S
"""Lists without a start reach back seven days; a minute less is sure to be in them."""


class ReplyDecoder:
    """One account and one market. Raises ValueError or a msgspec error for a success it cannot read."""

    def __init__(self, leg: str, instrument: Instrument, translator: Translator) -> None:
        self._leg = leg
        self._instrument = instrument
        self._translator = translator
        self._readers: Readers = {
            SubmitOrder: self._order,
            AmendOrder: self._amended,
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
            SetDeadMansSwitch: self._nothing,
        }

    def events(self, command: Command, response: HttpResponse, *, requested_ns: int, at_ns: int) -> Sequence[Event]:
        """The events a reply stands for, refusals included."""
        if not 200 <= response.status < 300:
            return refused(command, response, requested_ns=requested_ns, at_ns=at_ns)
        reply = Reply(leg=self._leg, command=command, body=response.body, requested_ns=requested_ns, at_ns=at_ns)
        return self._readers[type(command)](reply)

    def _order(self, reply: Reply) -> Sequence[Event]:
        return order_events(self._translator.order(_ORDER.decode(reply.body)), leg=self._leg, at_ns=reply.at_ns)

    def _amended(self, reply: Reply) -> Sequence[Event]:
        report = self._translator.order(_ORDER.decode(reply.body))
        return (OrderAmended(at_ns=reply.at_ns, leg=self._leg, report=report),)

    def _nothing(self, reply: Reply) -> Sequence[Event]:
        """The countdown runs; that it does is all there is to know."""
        _COUNTDOWN.decode(reply.body)
        return ()

    def _open_orders(self, reply: Reply) -> Sequence[Event]:
        return reply.open_orders(map(self._translator.order, self._own_market(_ORDERS.decode(reply.body))))

    def _history(self, reply: Reply) -> Sequence[Event]:
        rows = _ORDERS.decode(reply.body)
        since_ns = _complete_since_ns(reply, [_created_ms(row) for row in rows])
        return reply.history(on_grid(self._translator.order, self._own_market(rows)), since_ns=since_ns)

    def _fills(self, reply: Reply) -> Sequence[Event]:
        rows = _TRADES.decode(reply.body)
        since_ns = _complete_since_ns(reply, [row.time for row in rows])
        return reply.fills(self._translator.fills(rows), since_ns=since_ns)

    def _funding(self, reply: Reply) -> Sequence[Event]:
        rows = _INCOME.decode(reply.body)
        own = (row for row in rows if row.income_type == FUNDING_FEE and row.symbol == self._translator.symbol)
        moments_ns = [row.time * NS_PER_MS for row in rows]
        since_ns = reply.complete_since_ns(moments_ns, is_whole=len(rows) < PAGE_ROWS)
        return reply.funding(map(funding, own), since_ns=since_ns)

    def _position(self, reply: Reply) -> Sequence[Event]:
        if self._instrument.kind is MarketKind.SPOT:
            return reply.position(self._translator.holding(self._read_balances(reply.body)))
        rows = (row for row in _POSITIONS.decode(reply.body) if row.symbol == self._translator.symbol)
        return reply.position(self._translator.position((row.position_amt, row.entry_price) for row in rows))

    def _balances(self, reply: Reply) -> Sequence[Event]:
        return reply.balances(self._read_balances(reply.body))

    def _read_balances(self, body: bytes) -> tuple[Balance, ...]:
        if self._instrument.kind is MarketKind.SPOT:
            return tuple(spot_balance(held) for held in _SPOT_ACCOUNT.decode(body).balances)
        return tuple(futures_balance(held) for held in _FUTURES_BALANCES.decode(body))

    def _snapshot(self, reply: Reply) -> Sequence[Event]:
        depth = _DEPTH.decode(reply.body)
        return (
            DepthSnapshot(
                at_ns=reply.at_ns,
                leg=self._leg,
                last_id=depth.last_update_id,
                bids=self._translator.levels(depth.bids),
                asks=self._translator.levels(depth.asks),
            ),
        )

    def _market(self, reply: Reply) -> Sequence[Event]:
        """Nobody has to hear that the market is as we know it; trading on an old grid would be wrong."""
        known = self._instrument
        rows = (row for row in _EXCHANGE.decode(reply.body).symbols if row.symbol == known.symbol)
        if not any(same_rules(now, known) for now in instruments(known.kind, rows)):
            raise other_rules(known.symbol)
        return ()

    def _own_market(self, orders: Iterable[wire.Order]) -> Iterable[wire.Order]:
        return (order for order in orders if order.symbol == self._translator.symbol)


def leverage(body: bytes, symbol: str) -> Decimal:
    """What a market is set to; its rows, of hedge mode too, say the same."""
    for row in _LEVERAGES.decode(body):
        if row.symbol == symbol:
            return exact(row.leverage)
    raise ValueError(f"no row for {symbol}")


def split(batch: Batch, response: HttpResponse) -> Sequence[HttpResponse]:
    """The answers to a batch's items, one by one; a refusal of the whole is everybody's."""
    if response.status != 200:
        return (response,) * len(batch.items)
    elements = _RAWS.decode(response.body)
    if len(elements) != len(batch.items):
        raise ValueError(f"{len(elements)} answers to {len(batch.items)} items")
    statuses = (200 if _ELEMENT.decode(element).code is msgspec.UNSET else 400 for element in elements)
    return [HttpResponse(status=status, body=bytes(raw)) for status, raw in zip(statuses, elements, strict=True)]


def order_events(report: OrderReport, *, leg: str, at_ns: int) -> Sequence[Event]:
    """An order's news. A post-only order that expired because it would have crossed is a refusal as well: one of
    the two ways in which the venue may say so, and the slot must learn of it either way."""
    updated = OrderUpdated(at_ns=at_ns, leg=leg, report=report)
    if report.reason != WOULD_CROSS or report.client_id is None:
        return (updated,)
    refusal = SubmitRejected(
        at_ns=at_ns,
        leg=leg,
        client_id=report.client_id,
        reason=RejectReason.WOULD_CROSS,
        venue_words=f"EXPIRED: {WOULD_CROSS}",
    )
    return (updated, refusal)


def _created_ms(order: wire.Order) -> int:
    return int(order.time) if isinstance(order.time, int | str) else int(order.update_time)


def _complete_since_ns(reply: Reply, moments_ms: Sequence[int]) -> int:
    """A list without a start is complete only as far as the venue looks back."""
    since_ns = reply.complete_since_ns(
        (moment * NS_PER_MS for moment in moments_ms), is_whole=len(moments_ms) < PAGE_ROWS
    )
    return max(since_ns, reply.requested_ns - _PAST_NS)
