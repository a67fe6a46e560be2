"""One order's life under news in any order: it ends in the same place, and never forgets or invents a lot."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.model.order import Operation, OrderRequest, OrderStatus, RejectReason, Side
from engine.trading.lifecycle import OwnOrder
from engine.trading.records import OrderState
from tests.trading.desk_bench import LEG, fill_of, report_of

REQUEST = OrderRequest(leg=LEG, client_id=(7 << 24) | 1, slot="bid.0", side=Side.BUY, ticks=100, lots=10)


def new_order() -> OwnOrder:
    return OwnOrder(REQUEST, submitted_ns=0, dead_after_ns=5)


def apply_all(order: OwnOrder, news: list[tuple[str, int]]) -> None:
    for at_ns, (kind, lots) in enumerate(news):
        if kind == "fill":
            order.filled(fill_of(REQUEST, lots, "t"), at_ns)
        else:
            order.reported(report_of(REQUEST, OrderStatus(kind), lots), at_ns)


def test_a_closed_order_stays_closing_until_its_fills_have_come() -> None:
    order = new_order()
    apply_all(order, [("resting", 0), ("canceled", 4)])
    assert order.state is OrderState.CLOSING and order.remaining_lots == 0
    apply_all(order, [("fill", 3)])
    assert order.state is OrderState.CLOSING
    apply_all(order, [("fill", 1)])
    assert order.state is OrderState.CANCELED


@given(st.permutations([("resting", 0), ("resting", 3), ("fill", 3), ("fill", 4), ("canceled", 7)]))
def test_any_order_of_news_ends_canceled_with_seven_executed(news: list[tuple[str, int]]) -> None:
    order = new_order()
    apply_all(order, news)
    assert (order.state, order.filled_lots, order.executed_lots) == (OrderState.CANCELED, 7, 7)


@given(st.permutations([("resting", 0), ("fill", 6), ("fill", 4), ("filled", 10)]))
def test_any_order_of_news_ends_filled(news: list[tuple[str, int]]) -> None:
    order = new_order()
    apply_all(order, news)
    assert (order.state, order.filled_lots) == (OrderState.FILLED, 10)


@given(
    st.lists(
        st.sampled_from(
            ["resting", "fill", "canceled", "rejected", "unknown submit", "cancel", "unknown cancel", "no cancel"]
        ),
        max_size=12,
    )
)
def test_no_news_makes_remaining_negative_or_a_done_order_without_its_fills(news: list[str]) -> None:
    order = new_order()
    for at_ns, kind in enumerate(news):
        if kind == "rejected":
            order.submit_rejected("no", at_ns)
        elif kind == "unknown submit":
            order.outcome_unknown(Operation.SUBMIT, "timeout", at_ns)
        elif kind == "cancel" and order.is_settled:
            order.cancel_sent(at_ns)
        elif kind == "unknown cancel":
            order.outcome_unknown(Operation.CANCEL, "timeout", at_ns)
        elif kind == "no cancel":
            order.cancel_rejected(RejectReason.UNKNOWN_ORDER, at_ns)
        elif kind == "fill" and order.filled_lots < REQUEST.lots:
            apply_all(order, [("fill", 1)])
        elif kind in ("resting", "canceled"):
            apply_all(order, [(kind, order.filled_lots)])
        assert 0 <= order.remaining_lots <= REQUEST.lots
        assert not order.is_done or order.filled_lots >= order.executed_lots


def test_a_late_rejection_does_not_bury_an_order_that_rests() -> None:
    order = new_order()
    apply_all(order, [("resting", 0)])
    order.submit_rejected("late", 9)
    assert order.state is OrderState.ACCEPTED


def test_what_the_venue_shows_resting_rests_even_after_we_gave_it_up() -> None:
    order = new_order()
    order.never_arrived(1)
    apply_all(order, [("resting", 0)])
    assert order.state is OrderState.ACCEPTED


def test_an_unknown_order_on_cancel_is_over_but_how_is_asked_for() -> None:
    order = new_order()
    apply_all(order, [("resting", 0)])
    order.cancel_sent(1)
    order.cancel_rejected(RejectReason.UNKNOWN_ORDER, 2)
    assert (order.state, order.unresolved) == (OrderState.UNRESOLVED, Operation.CANCEL)
    assert order.remaining_lots == 10


def test_a_refused_cancel_leaves_the_order_resting() -> None:
    order = new_order()
    apply_all(order, [("resting", 0)])
    order.cancel_sent(1)
    order.cancel_rejected(RejectReason.RATE_LIMITED, 2)
    assert order.state is OrderState.ACCEPTED


def test_what_was_under_way_when_the_process_died_is_unresolved_afterwards() -> None:
    order = new_order()
    assert OwnOrder.remembered(order.record()).unresolved is Operation.SUBMIT
    apply_all(order, [("resting", 0)])
    order.cancel_sent(1)
    assert OwnOrder.remembered(order.record()).unresolved is Operation.CANCEL
