"""Orders and cancels: taken at once, carried out when their turn comes. REST and WebSocket both end here.

A taken order is NEW and nothing more. What the exchange makes of it (margin, crossing, bands, reduce-only) shows on
the order's channel, and in what is asked for later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.clock import NS_PER_MS
from engine.exchanges.paradex.signing import order_struct
from engine.exchanges.paradex.wire import NewOrder
from engine.model.order import OrderStatus
from engine.sim.orders import OrderRefused
from engine.sim.paradex.auth import Caller, Door
from engine.sim.paradex.errors import ApiRefusal, invalid
from engine.sim.paradex.orders import check_window, is_below_minimum, reaches_too_far, read_order, terms_of
from engine.sim.paradex.render import REFUSALS
from engine.sim.paradex.state import Paper, ParadexState
from engine.sim.schedule import Schedule

BATCH_MAX = 50
"""The documentation says 10 in one place and 50 in another."""


class Trading:
    """`changed` is told of orders that ended before the exchange ever took them."""

    def __init__(
        self, state: ParadexState, door: Door, schedule: Schedule, changed: Callable[[Paper], None]
    ) -> None:
        self._state = state
        self._door = door
        self._schedule = schedule
        self._changed = changed

    def place(self, caller: Caller, new: NewOrder, now_ns: int) -> Paper:
        """Queue one order."""
        self._door.count_order(caller, now_ns)
        self._check_signature(caller, new)
        return self._queue(caller, new, now_ns)

    def place_many(self, caller: Caller, orders: Sequence[NewOrder], now_ns: int) -> list[Paper | ApiRefusal]:
        """Queue many; one bad signature refuses all, everything else is each order's own matter. What became of
        each, in the order asked."""
        self._door.count_order(caller, now_ns)
        if not 1 <= len(orders) <= BATCH_MAX:
            raise ApiRefusal(400, "BATCH_SIZE_OUT_OF_RANGE", f"batch must have 1 to {BATCH_MAX} orders")
        for new in orders:
            self._check_signature(caller, new)
        return [self._queue_or_refuse(caller, new, now_ns) for new in orders]

    def _queue_or_refuse(self, caller: Caller, new: NewOrder, now_ns: int) -> Paper | ApiRefusal:
        try:
            return self._queue(caller, new, now_ns)
        except ApiRefusal as refusal:
            return refusal

    def cancel(self, caller: Caller, paper: Paper, now_ns: int) -> None:
        """Queue the cancel of an order that is open."""
        if not paper.is_open:
            raise ApiRefusal(400, "ORDER_IS_CLOSED", f"order {paper.order_id} is closed")
        self._later(caller, now_ns, lambda at_ns: self._withdraw(paper, at_ns))

    def cancel_all(self, caller: Caller, market: str | None, now_ns: int) -> list[Paper]:
        """Queue the cancels of every open order, of one market or of all."""
        open_ones = [
            paper
            for paper in self._state.papers_of(caller.account)
            if paper.is_open and market in (None, "", paper.order.symbol)
        ]
        for paper in open_ones:
            self.cancel(caller, paper, now_ns)
        return open_ones

    def cancel_papers(self, papers: Sequence[Paper], now_ns: int) -> None:
        """Cancel now: the socket they were placed on is gone."""
        for paper in papers:
            self._withdraw(paper, now_ns)

    def _check_signature(self, caller: Caller, new: NewOrder) -> None:
        try:
            struct = order_struct(terms_of(new))
        except ValueError:
            raise invalid("order cannot be hashed") from None
        self._door.check_order(caller, struct, new.signature, new.signature_timestamp)

    def _queue(self, caller: Caller, new: NewOrder, now_ns: int) -> Paper:
        check_window(new, self._state.settings, now_ns)
        at = self._state.market(new.market, now_ns)
        paper = read_order(new, at, caller, now_ns)
        if self._state.settings.refuses_live_client_ids and paper.client_id:
            others = self._state.papers_of(caller.account)
            if any(other.is_open and other.client_id == paper.client_id for other in others):
                raise ApiRefusal(400, "DUPLICATED_CLIENT_ID", f"client id {paper.client_id} is in use")
        self._state.file(paper)
        paper.seq_no = self._state.next_seq_no(now_ns)
        self._later(caller, now_ns, lambda at_ns: self._enter(paper, at_ns))
        return paper

    def _later(self, caller: Caller, now_ns: int, task: Callable[[int], None]) -> None:
        settings = self._state.settings
        delay_ms = settings.queue_ms + (settings.interactive_delay_ms if caller.is_interactive else 0)
        self._schedule.at(now_ns + delay_ms * NS_PER_MS, task)

    def _enter(self, paper: Paper, now_ns: int) -> None:
        """The order's turn has come."""
        if not paper.is_open:
            return
        paper.is_queued, paper.order.placed_ns = False, now_ns
        at = self._state.exchange.markets[paper.order.symbol]
        if is_below_minimum(paper, at):
            self._refuse(paper, "ORDER_SIZE_BELOW_MIN", now_ns)
        elif reaches_too_far(paper, at):
            self._refuse(paper, "PRICE_BAND_EXCEEDED", now_ns)
        else:
            try:
                self._state.exchange.place(paper.order)
            except OrderRefused as refused:
                self._refuse(paper, REFUSALS[refused.refusal], now_ns)

    def _refuse(self, paper: Paper, why: str, now_ns: int) -> None:
        paper.order.status, paper.cancel_reason, paper.changed_ns = OrderStatus.REJECTED, why, now_ns
        self._changed(paper)

    def _withdraw(self, paper: Paper, now_ns: int) -> None:
        if not paper.is_open:
            return
        if not paper.is_queued:
            self._state.exchange.cancel(paper.order, now_ns)
            return
        paper.order.status, paper.changed_ns = OrderStatus.CANCELED, now_ns
        self._changed(paper)
