"""How each event changes a leg. Every function answers whether a decision may have changed.

DepthChanged and DepthSnapshot end in the session's book, TradePrinted in a recorder; CancelAcknowledged changes no
decision: the stream tells when a cancel worked. A bot counts its declared capital, not the account; only who must
always be able to hedge asks for balances, and streams tell too little of what is free.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.model.events import (
    AmendRejected,
    BalancesReported,
    BookLost,
    BookUpdated,
    CancelRejected,
    Event,
    FillsReported,
    FundingAnnounced,
    FundingReported,
    LegConnected,
    LegDisconnected,
    Level,
    MarkPriceUpdated,
    OpenOrdersReported,
    OrderAmended,
    OrderFilled,
    OrderHistoryReported,
    OrderNotFound,
    OrderUpdated,
    OutcomeUnknown,
    PositionAdopted,
    PositionIgnored,
    PositionReported,
    QueryFailed,
    SubmitRejected,
)
from engine.model.order import Side
from engine.trading.adoption import adopt, ignore
from engine.trading.leg import Leg
from engine.trading.records import OrderState
from engine.trading.sync import Answer


def take_news(leg: Leg, event: Event) -> bool:
    """Let an event change its leg; False when it cannot change any decision."""
    taken = _TAKEN.get(type(event))
    return taken is not None and taken(leg, event)


def _book_updated(leg: Leg, event: BookUpdated) -> bool:
    before = (leg.book_why_not, *_best_of_others(leg, event.at_ns))
    leg.book_why_not, leg.bids, leg.asks, leg.booked_ns = "", event.bids, event.asks, event.at_ns
    bid, ask = now = _best_of_others(leg, event.at_ns)
    leg.mids.saw(bid[0][0] + ask[0][0] if bid and ask else None, event.at_ns)
    return before != ("", *now)


def _best_of_others(leg: Leg, at_ns: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    return leg.others(Side.BUY, at_ns)[:1], leg.others(Side.SELL, at_ns)[:1]


def _book_lost(leg: Leg, event: BookLost) -> bool:
    leg.book_why_not = f"book lost: {event.reason}"
    return True


def _mark_updated(leg: Leg, event: MarkPriceUpdated) -> bool:
    leg.mark, leg.marked_ns, leg.funding_rate = event.mark, event.at_ns, event.funding_rate
    leg.funding.clock_told(event.funding_ns, event.at_ns)
    return False


def _funding_announced(leg: Leg, event: FundingAnnounced) -> bool:
    leg.funding.announced(event.at_ns)
    return True


def _funding_reported(leg: Leg, event: FundingReported) -> bool:
    """What was paid changes the bot's profit, and with it what its stops say."""
    leg.records += leg.funding.take(event, leg.difference.foreign_lots)
    if leg.funding.why_not:
        leg.alarm(event.at_ns, "funding is missing from the books", why=leg.funding.why_not)
    return True


def _connected(leg: Leg, event: LegConnected) -> bool:
    leg.connected(event.at_ns)
    return True


def _disconnected(leg: Leg, event: LegDisconnected) -> bool:
    leg.link_why_not, leg.synced = f"account stream lost: {event.reason}", False
    leg.venue_position.lost()
    leg.available = leg.locked = None
    return True


def _order_updated(leg: Leg, event: OrderUpdated) -> bool:
    leg.order_reported(event.report, event.at_ns)
    return True


def _order_filled(leg: Leg, event: OrderFilled) -> bool:
    return leg.fill_reported(event.fill, event.at_ns)


def _submit_rejected(leg: Leg, event: SubmitRejected) -> bool:
    order = leg.orders.find(event.client_id)
    if order is not None:
        order.submit_rejected(f"{event.reason}: {event.venue_words}", event.at_ns)
        leg.refused(order.request.slot, event.reason, event.venue_words, event.at_ns)
        leg.changed(order)
    return order is not None


def _cancel_rejected(leg: Leg, event: CancelRejected) -> bool:
    order = leg.orders.find(event.client_id)
    if order is not None:
        order.cancel_rejected(event.reason, event.at_ns)
        leg.changed(order)
        leg.refusals.refused(leg.cancel_key(event.client_id), event.reason, event.venue_words, event.at_ns)
    return order is not None


def _order_amended(leg: Leg, event: OrderAmended) -> bool:
    order = leg.orders.find(event.report.client_id, event.report.venue_order_id)
    if order is not None:
        order.amend_done(event.report, event.at_ns)
        leg.taken(order.request.slot)
        leg.changed(order)
    return order is not None


def _amend_rejected(leg: Leg, event: AmendRejected) -> bool:
    order = leg.orders.find(event.client_id)
    if order is not None:
        order.amend_rejected(event.reason, event.at_ns)
        leg.refused(order.request.slot, event.reason, event.venue_words, event.at_ns)
        leg.changed(order)
    return order is not None


def _outcome_unknown(leg: Leg, event: OutcomeUnknown) -> bool:
    order = leg.orders.find(event.client_id)
    if order is not None:
        order.outcome_unknown(event.operation, event.why, event.at_ns)
        leg.changed(order)
        leg.note(event.at_ns, "outcome unknown", order=event.client_id, operation=event.operation, why=event.why)
    return order is not None


def _order_not_found(leg: Leg, event: OrderNotFound) -> bool:
    order = leg.orders.find(event.client_id)
    if order is not None and order.state is OrderState.ACCEPTED and order.updated_ns < event.requested_ns:
        order.missing("not found by its id", event.at_ns)
        leg.changed(order)
    return order is not None


def _position_adopted(leg: Leg, event: PositionAdopted) -> bool:
    return adopt(leg, event)


def _position_ignored(leg: Leg, event: PositionIgnored) -> bool:
    return ignore(leg, event)


def _answered(leg: Leg, event: Answer) -> bool:
    """Merge one answer of a round; when it is the last, judge what is left."""
    if isinstance(event, FillsReported):
        for fill in event.fills:
            leg.fill_reported(fill, event.at_ns)
    elif isinstance(event, PositionReported):
        leg.position_reported(event)
    elif isinstance(event, BalancesReported):
        leg.available = {balance.asset: balance.available for balance in event.balances}
        leg.locked = {balance.asset: balance.total - balance.available for balance in event.balances}
        leg.balanced_ns = event.at_ns
    else:
        for report in event.orders:
            leg.order_reported(report, event.at_ns)
    if leg.sync.answered(event):
        leg.judge(event.at_ns)
    return True


def _balances_reported(leg: Leg, event: BalancesReported) -> bool:
    return event.requested_ns is not None and leg.sync.asks_balances and _answered(leg, event)


def _query_failed(leg: Leg, event: QueryFailed) -> bool:
    leg.sync.failed(event)
    if event.query == "QueryFunding":
        leg.funding.failed(event)
        leg.note(event.at_ns, "funding is unavailable", why=event.why)
    if event.query == "QueryPosition":
        leg.venue_position.lost()
    if event.query == "QueryBalances":
        leg.available = leg.locked = None
    return True


_TAKEN: dict[type[Event], Callable[[Leg, Any], bool]] = {
    PositionAdopted: _position_adopted,
    PositionIgnored: _position_ignored,
    BookUpdated: _book_updated,
    BookLost: _book_lost,
    MarkPriceUpdated: _mark_updated,
    LegConnected: _connected,
    LegDisconnected: _disconnected,
    OrderUpdated: _order_updated,
    OrderFilled: _order_filled,
    SubmitRejected: _submit_rejected,
    OrderAmended: _order_amended,
    AmendRejected: _amend_rejected,
    CancelRejected: _cancel_rejected,
    OutcomeUnknown: _outcome_unknown,
    OrderNotFound: _order_not_found,
    OpenOrdersReported: _answered,
    OrderHistoryReported: _answered,
    FillsReported: _answered,
    PositionReported: _answered,
    BalancesReported: _balances_reported,
    FundingAnnounced: _funding_announced,
    FundingReported: _funding_reported,
    QueryFailed: _query_failed,
}
