"""What becomes of a transaction after the API took it: after the tier's delay it is carried out or fails, and the
account's channels tell. Called by `gateway`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import msgspec

from engine.clock import NS_PER_MS
from engine.exchanges.lighter.transactions import Attribute, CancelAllTime, OrderType, TxInfo, TxType
from engine.exchanges.lighter.wire import Transaction
from engine.model.order import OrderStatus, Side
from engine.sim.lighter.errors import INACTIVE_ORDER
from engine.sim.lighter.state import ORDER_INDEX_BASE, LighterState, OrderTerms, RefusedOrder
from engine.sim.orders import Order, OrderRefused, Refusal
from engine.sim.schedule import Schedule

FAILED, EXECUTED = 0, 2
REFUSALS = {
    Refusal.WOULD_CROSS: "canceled-post-only",
    Refusal.PRICE_OUT_OF_BAND: "canceled-too-much-slippage",
    Refusal.INSUFFICIENT_FUNDS: "canceled-invalid-balance",
    Refusal.INSUFFICIENT_MARGIN: "canceled-margin-not-allowed",
    Refusal.NOT_REDUCING: "canceled-reduce-only",
}

Tell = Callable[[Transaction], None]
TellRefused = Callable[[RefusedOrder], None]


class Sequencer:
    """Carries transactions out in the order in which their delays end."""

    def __init__(self, state: LighterState, schedule: Schedule, tell: Tell, tell_refused: TellRefused) -> None:
        self._state = state
        self._schedule = schedule
        self._tell = tell
        self._tell_refused = tell_refused

    def queue(self, transaction: Transaction, info: TxInfo, order: Order | None, now_ns: int) -> None:
        self._state.remember(transaction)

        def carry_out(at_ns: int) -> None:
            self._carry_out(transaction, info, order, at_ns)

        name = self._state.name_of(transaction.account_index)
        self._schedule.at(now_ns + self._delay_ms(name, order) * NS_PER_MS, carry_out)

    def _delay_ms(self, name: str, order: Order | None) -> int:
        settings = self._state.settings
        if order is not None and not order.post_only:
            return settings.taker_delay_ms
        if name in self._state.premium:
            return 0
        return settings.cancel_delay_ms if order is None else settings.maker_delay_ms

    def _carry_out(self, transaction: Transaction, info: TxInfo, order: Order | None, now_ns: int) -> None:
        if order is None:
            self._done(transaction, self._do(TxType(transaction.type), info, now_ns), now_ns)
        elif self._state.settings.transactions_come_first:
            self._done(transaction, "", now_ns)
            self._place(order, info, now_ns)
        else:
            self._place(order, info, now_ns)
            self._done(transaction, "", now_ns)

    def _done(self, transaction: Transaction, failure: str, now_ns: int) -> None:
        done = msgspec.structs.replace(
            transaction,
            status=FAILED if failure else EXECUTED,
            event_info=json.dumps({"ae": failure}),
            executed_at=now_ns // NS_PER_MS,
        )
        self._state.remember(done)
        self._tell(done)

    def _place(self, order: Order, info: TxInfo, now_ns: int) -> None:
        """Always carried out; an order that cannot stand is ended at once, and says why in its status."""
        exchange = self._state.exchange
        order.order_id, order.placed_ns = exchange.next_order_id(), now_ns
        is_market = info.get("Type") == OrderType.MARKET
        terms = OrderTerms(nonce=info["Nonce"], expiry_ms=info["OrderExpiry"], is_market=is_market)
        if is_market:
            order.ticks = self._worst_price(order)
        self._state.agree(order.order_id, terms)
        try:
            exchange.place(order)
        except OrderRefused as refused:
            order.status, order.updated_ns = OrderStatus.CANCELED, now_ns
            ended = RefusedOrder(order, REFUSALS[refused.refusal])
            self._state.refused[order.owner].append(ended)
            self._tell_refused(ended)
        if order.status is OrderStatus.RESTING:
            self._schedule.at(terms.expiry_ms * NS_PER_MS, lambda at_ns: self._expire(order, terms, at_ns))

    def _worst_price(self, order: Order) -> int:
        """A market order reaches as far as its price says, and never farther than the market's band."""
        limit = self._state.exchange.markets[order.symbol].impact_limit(order.side)
        return min(order.ticks, limit) if order.side is Side.BUY else max(order.ticks, limit)

    def _expire(self, order: Order, terms: OrderTerms, now_ns: int) -> None:
        terms.is_expired = order.status is OrderStatus.RESTING
        self._state.exchange.cancel(order, now_ns)

    def _do(self, kind: TxType, info: TxInfo, now_ns: int) -> str:
        """The error text of a transaction that makes no order; empty when it was carried out."""
        name = self._state.name_of(info["AccountIndex"])
        if kind is TxType.CANCEL_ALL_ORDERS:
            return self._cancel_all(name, info, now_ns)
        if kind is TxType.UPDATE_LEVERAGE:
            fraction = max(1, info["InitialMarginFraction"])
            self._state.exchange.account(name).leverage_limit = Decimal(10_000) / fraction
            return ""
        order = find_order(self._state, name, info["Index"])
        if order is None:
            return INACTIVE_ORDER[1]
        self._state.exchange.cancel(order, now_ns)
        if kind is TxType.MODIFY_ORDER:
            self._place(_changed(order, info), {**info, **self._kept(order)}, now_ns)
        return ""

    def _kept(self, order: Order) -> dict[str, int]:
        return {"OrderExpiry": self._state.terms[order.order_id].expiry_ms}

    def _cancel_all(self, name: str, info: TxInfo, now_ns: int) -> str:
        index = info["AccountIndex"]
        when = CancelAllTime(info["TimeInForce"])
        if when is CancelAllTime.NOW:
            self._cancel_now(name, info, now_ns)
        elif when is CancelAllTime.ABORT:
            self._state.cancel_all_ms.pop(index, None)
        else:
            due_ms = self._state.cancel_all_ms[index] = info["Time"]
            self._schedule.at(due_ms * NS_PER_MS, lambda at_ns: self._scheduled(name, index, due_ms, at_ns))
        return ""

    def _cancel_now(self, name: str, info: TxInfo, now_ns: int) -> None:
        number = (info.get("L2TxAttributes") or {}).get(str(Attribute.CANCEL_ALL_MARKET.value))
        symbol = None if number is None else self._state.market(number, now_ns).market.symbol
        for order in self._state.exchange.open_orders(name, symbol):
            self._state.exchange.cancel(order, now_ns)

    def _scheduled(self, name: str, index: int, due_ms: int, now_ns: int) -> None:
        """The dead-man switch, unless it was moved or taken back meanwhile."""
        if self._state.cancel_all_ms.get(index) == due_ms:
            del self._state.cancel_all_ms[index]
            for order in self._state.exchange.open_orders(name):
                self._state.exchange.cancel(order, now_ns)


def find_order(state: LighterState, name: str, index: int) -> Order | None:
    """An open order by the venue's index or the client's: which one it is, its size tells."""
    if index >= ORDER_INDEX_BASE:
        return state.exchange.open_order(name, index - ORDER_INDEX_BASE)
    return next((order for order in state.exchange.open_orders(name) if order.client_id == index), None)


def _changed(order: Order, info: TxInfo) -> Order:
    """The order that takes the place of a modified one."""
    return Order(
        order_id=0,
        owner=order.owner,
        symbol=order.symbol,
        side=order.side,
        ticks=info["Price"],
        lots=info["BaseAmount"],
        placed_ns=0,
        time_in_force=order.time_in_force,
        post_only=order.post_only,
        reduce_only=order.reduce_only,
        self_trade=order.self_trade,
        client_id=order.client_id,
    )
