"""Rounds of asking the venue for everything that matters, and what their answers prove.

One path serves start-up, reconnection, lost answers and the steady check: ask for open orders, order history,
fills and the position; merge what comes; judge what is left. Absence proves nothing about orders touched after
a request began, and nothing at all unless every answer of the round came (law 1).
"""

from __future__ import annotations

from engine.clock import NS_PER_MS, NS_PER_S
from engine.model.commands import (
    Command,
    QueryBalances,
    QueryFills,
    QueryOpenOrders,
    QueryOrderHistory,
    QueryPosition,
)
from engine.model.events import (
    BalancesReported,
    FillsReported,
    OpenOrdersReported,
    OrderHistoryReported,
    PositionReported,
    QueryFailed,
)
from engine.model.instrument import MarketKind
from engine.model.order import OrderReport, TimeInForce
from engine.trading.lifecycle import OwnOrder
from engine.trading.records import OrderState
from engine.trading.waits import wait_ns

STEADY_NS = 30 * NS_PER_S
FIRST_RETRY_NS = 250 * NS_PER_MS
LAST_RETRY_NS = 10 * NS_PER_S
ROUND_LIMIT_NS = 30 * NS_PER_S
OVERLAP_NS = 60 * NS_PER_S
PATIENCE_NS = 2 * NS_PER_S
DEAD_MARGIN_NS = NS_PER_S
GONE_NS = 60 * NS_PER_S
"""An order that was missed for so long is not merely missing in a list that lags behind."""

ROUND: tuple[type[Command], ...] = (QueryOpenOrders, QueryOrderHistory, QueryFills, QueryPosition)
"""What a round asks; spot has no position to ask for, and is reckoned as if it had."""

_WAITING = (OrderState.SUBMITTED, OrderState.AMEND_PENDING, OrderState.CANCEL_PENDING, OrderState.CLOSING)
Answer = OpenOrdersReported | OrderHistoryReported | FillsReported | PositionReported | BalancesReported
_ANSWERS: dict[type[Answer], str] = {
    OpenOrdersReported: "QueryOpenOrders",
    OrderHistoryReported: "QueryOrderHistory",
    FillsReported: "QueryFills",
    PositionReported: "QueryPosition",
    BalancesReported: "QueryBalances",
}


class Sync:
    """The rounds of one leg. At most one is under way; a failed or inconclusive one is retried later and later."""

    def __init__(self, leg: str, kind: MarketKind) -> None:
        self._leg, self._kind = leg, kind
        self.asks_balances = False
        """Whether rounds also ask what the account has free."""
        self._waiting: set[str] = set()
        self._attempts = 0
        self._asked_ns = 0
        self._history_since_ns = self._fills_since_ns = 0
        self._open: dict[int | None, OrderReport] = {}
        self._next_ns: int | None = None
        self.proved_ns: int | None = None
        """When the last complete round was asked: everything before it is known."""

    @property
    def next_ns(self) -> int | None:
        """When the next round is due; None while none was ever wanted."""
        return self._next_ns

    def want(self, now_ns: int) -> None:
        """Ask at once: the leg was connected, or something must be found out."""
        self._next_ns, self._attempts = now_ns, 0
        self._waiting.clear()

    def want_soon(self, now_ns: int) -> None:
        """Something needs finding out: no later than patience allows, without disturbing retries."""
        if self._attempts == 0 and not self._waiting:
            due = now_ns + FIRST_RETRY_NS
            self._next_ns = due if self._next_ns is None else min(self._next_ns, due)

    def is_due(self, now_ns: int) -> bool:
        return self._next_ns is not None and now_ns >= self._next_ns

    def start(self, now_ns: int, since_ns: int) -> list[Command]:
        """The questions of a new round."""
        leg, since_ns = self._leg, max(0, since_ns - OVERLAP_NS)
        commands: list[Command] = [
            QueryOpenOrders(leg=leg),
            QueryOrderHistory(leg=leg, since_ns=since_ns),
            QueryFills(leg=leg, since_ns=since_ns),
        ]
        if self._kind is MarketKind.PERP:
            commands.append(QueryPosition(leg=leg))
        if self.asks_balances:
            commands.append(QueryBalances(leg=leg))
        self._waiting = {type(command).__name__ for command in commands}
        self._asked_ns = now_ns
        self._next_ns = now_ns + ROUND_LIMIT_NS
        return commands

    def answered(self, event: Answer) -> bool:
        """Take one answer; True when it was the last one of the round. What a stream tells, or a round that was
        given up tells late, proves nothing in this one."""
        query = _ANSWERS[type(event)]
        if query not in self._waiting or event.requested_ns is None or event.requested_ns < self._asked_ns:
            return False
        self._waiting.discard(query)
        if isinstance(event, OpenOrdersReported):
            self._open = {order.client_id: order for order in event.orders}
        elif isinstance(event, OrderHistoryReported):
            self._history_since_ns = event.since_ns
        elif isinstance(event, FillsReported):
            self._fills_since_ns = event.since_ns
        return not self._waiting

    def failed(self, event: QueryFailed) -> None:
        """One answer did not come: the whole round proves nothing and is asked again, later."""
        if event.query in self._waiting:
            self._waiting.clear()
            self._retry(event.at_ns)

    def judge(self, order: OwnOrder, now_ns: int, *, is_position_own: bool) -> bool:
        """What a complete round proves about one live order; True when that changed the order. `is_position_own`:
        the venue's position is what own fills made, so that none is missing."""
        report = self._open.get(order.request.client_id)
        if report is not None:
            return self._judge_amended(order, report, now_ns) or self._judge_resting(order, now_ns)
        if order.updated_ns >= self._asked_ns or order.state is OrderState.CLOSING:
            return False
        before = order.state
        if order.venue_order_id is None:
            whole = self._history_since_ns <= order.submitted_ns
            if whole and self._asked_ns > order.dead_after_ns + DEAD_MARGIN_NS:
                order.never_arrived(now_ns)
        elif order.state is not OrderState.UNRESOLVED:
            order.missing("not among the open orders", now_ns)
        elif self._has_outlived_history(order, is_position_own=is_position_own):
            order.gone(now_ns)
        return order.state is not before

    def _has_outlived_history(self, order: OwnOrder, *, is_position_own: bool) -> bool:
        """A venue tells of its newest orders, or of a week. One that rested for longer and ended while nobody
        listened is in no list any more; that no fill of it is missing must be known otherwise."""
        is_counted = is_position_own or self._fills_since_ns <= order.submitted_ns
        return (
            self._history_since_ns > order.submitted_ns
            and self._asked_ns - order.updated_ns >= GONE_NS
            and order.filled_lots >= order.executed_lots
            and is_counted
        )

    def _judge_amended(self, order: OwnOrder, report: OrderReport, now_ns: int) -> bool:
        if order.amended is None or self._asked_ns <= order.dead_after_ns + DEAD_MARGIN_NS:
            return False
        order.terms_proved(report, now_ns)
        return True

    def _judge_resting(self, order: OwnOrder, now_ns: int) -> bool:
        """It was among the open orders. The answer itself has counted as news of it, so only the moment of the
        cancel can tell that the cancel did not work."""
        if order.state is not OrderState.CANCEL_PENDING or order.cancel_sent_ns is None:
            return False
        if self._asked_ns - order.cancel_sent_ns < PATIENCE_NS:
            return False
        order.still_rests(now_ns)
        return True

    def concluded(self, now_ns: int, *, open_questions: bool) -> None:
        """The round is over: come back soon while questions are open, else at the steady pace."""
        self.proved_ns = self._asked_ns
        if open_questions:
            self._retry(now_ns)
        else:
            self._attempts, self._next_ns = 0, now_ns + STEADY_NS

    def _retry(self, now_ns: int) -> None:
        self._next_ns = now_ns + wait_ns(FIRST_RETRY_NS, self._attempts, LAST_RETRY_NS)
        self._attempts += 1


def is_question(order: OwnOrder, now_ns: int) -> bool:
    """True for an order whose fate has to be asked for: unresolved, or waiting longer than an answer takes. One
    that takes never rests: partly filled, it waits for the news of its end, and the next one for it to be over."""
    if order.state is OrderState.UNRESOLVED:
        return True
    takes = order.is_settled and order.request.time_in_force is not TimeInForce.GTC
    return (takes or order.state in _WAITING) and now_ns - order.updated_ns >= PATIENCE_NS
