"""Overhears the venues of a play, and judges whatever a bot writes down at the moment it does.

What a look finds now and then may have been put right in between: a wrong price lasts only until the next amend.
But a bot never writes down as certain what was never so, not even for a moment:

- terms that the order never had at the venue;
- more executed than there is;
- an order as over that rests, or that comes to rest afterwards;
- a new quote while a socket of its market or of its account is closed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol
from unittest.mock import patch

from engine.clock import NS_PER_S
from engine.model.order import TimeInForce
from engine.runtime.journal import Journal
from engine.sim.exchange import Exchange, Listener, OrderChange
from engine.sim.ledger import Account
from engine.sim.network import VirtualNetwork
from engine.sim.orders import ExchangeFill, Order, Trade
from engine.trading.records import OrderRecord, OrderState, Record
from tests.chaos.stages import own_id


class Stage(Protocol):
    """What a witness needs of the play."""

    network: VirtualNetwork

    def is_deaf(self, bot: str) -> bool:
        """Whether the bot knows that it does not hear everything."""

    def complain(self, what: str) -> None: ...


class Witness:
    """Of all venues and bots of one play: no two of its orders have one client id."""

    def __init__(self, exchanges: Iterable[Exchange], play: Stage) -> None:
        self._play = play
        self._orders: dict[int, Order] = {}
        self._terms: dict[int, set[tuple[int, int]]] = defaultdict(set)
        self._over: dict[int, OrderState] = {}
        for exchange in exchanges:
            exchange.listener = Overheard(exchange.listener, self.heard)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """While every journal of this process is read as it is written."""
        commit = Journal.commit

        def commit_and_show(journal: Journal, records: Sequence[Record]) -> None:
            commit(journal, records)
            self.wrote(records, bot=journal.path.parent.name)

        with patch.object(Journal, "commit", commit_and_show):
            yield

    def heard(self, order: Order, change: OrderChange) -> None:
        """Something happened to an order at a venue, whoever's it is."""
        client_id = own_id(order.client_id)
        if client_id is None:
            return
        self._orders[client_id] = order
        self._terms[client_id].add((order.ticks, order.lots))
        if change is OrderChange.ACCEPTED and client_id in self._over:
            self._complain(f"order {client_id} came to rest after a bot had it down as {self._over[client_id]}")

    def wrote(self, records: Sequence[Record], *, bot: str) -> None:
        """A bot wrote this down, and acts by it from now on."""
        for record in records:
            if isinstance(record, OrderRecord):
                self._judge(record)
                self._judge_new(record, bot)

    def _judge_new(self, record: OrderRecord, bot: str) -> None:
        request = record.request
        rests = request.time_in_force is TimeInForce.GTC
        if record.state is OrderState.SUBMITTED and rests and self._play.is_deaf(bot):
            self._complain(f"{bot} quotes {request.slot} while a socket of it is closed")

    def _judge(self, record: OrderRecord) -> None:
        request = record.request
        if record.state.is_done:
            self._over[request.client_id] = record.state
        order = self._orders.get(request.client_id)
        if order is None:
            return
        what = f"{request.leg} {request.slot} ({request.client_id}) as {record.state}"
        if not self._had(record):
            self._complain(f"a bot has {what}, {request.lots} lots at {request.ticks}, which it never was")
        if max(record.executed_lots, record.filled_lots) > order.executed_lots:
            self._complain(f"a bot has {what}, {record.executed_lots} executed: more than {order.executed_lots}")
        if record.state.is_done and order.status.is_open:
            self._complain(f"a bot has {what}, and it rests")

    def _complain(self, what: str) -> None:
        self._play.complain(f"{self._play.network.elapsed_ns / NS_PER_S:.3f} s: {what}")

    def _had(self, record: OrderRecord) -> bool:
        """Venues cut orders that only reduce down to what there is to reduce."""
        request, terms = record.request, self._terms[record.request.client_id]
        return request.reduce_only or (request.ticks, request.lots) in terms


class Overheard:
    """A venue's listener, with somebody behind it."""

    def __init__(self, listener: Listener, heard: Callable[[Order, OrderChange], None]) -> None:
        self._listener, self._heard = listener, heard

    def order_changed(self, order: Order, change: OrderChange, fill: ExchangeFill | None) -> None:
        self._heard(order, change)
        self._listener.order_changed(order, change, fill)

    def balance_changed(self, account: Account, asset: str) -> None:
        self._listener.balance_changed(account, asset)

    def position_changed(self, account: Account, symbol: str, lots_before: int) -> None:
        self._listener.position_changed(account, symbol, lots_before)

    def traded(self, trade: Trade) -> None:
        self._listener.traded(trade)
