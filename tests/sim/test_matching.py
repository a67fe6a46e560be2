"""The order book against the simplest thing that could be right: a list that is sorted for every trade."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from engine.model.order import Side
from engine.sim.matching import Book, Match
from engine.sim.orders import Order, SelfTrade

SIDES = st.sampled_from(list(Side))


@dataclass
class PlainOrder:
    number: int
    owner: str
    side: Side
    ticks: int
    lots: int


class PlainBook:
    """Price-time priority in as few words as possible."""

    def __init__(self) -> None:
        self.orders: list[PlainOrder] = []

    def take(self, taker: PlainOrder, rule: SelfTrade) -> list[tuple[int, int, int]]:
        trades = []
        while taker.lots and (makers := self._reachable(taker)):
            maker = makers[0]
            if maker.owner == taker.owner:
                if rule is not SelfTrade.REJECT_TAKER:
                    self.orders.remove(maker)
                if rule is not SelfTrade.REJECT_MAKER:
                    return trades
                continue
            lots = min(taker.lots, maker.lots)
            trades.append((maker.number, maker.ticks, lots))
            taker.lots -= lots
            maker.lots -= lots
            if not maker.lots:
                self.orders.remove(maker)
        if taker.lots:
            self.orders.append(taker)
        return trades

    def levels(self, side: Side) -> list[tuple[int, int]]:
        mine = [order for order in self.orders if order.side is side]
        totals = {order.ticks: 0 for order in mine}
        for order in mine:
            totals[order.ticks] += order.lots
        return sorted(totals.items(), reverse=side is Side.BUY)

    def _reachable(self, taker: PlainOrder) -> list[PlainOrder]:
        sign = taker.side.sign
        others = [order for order in self.orders if order.side is not taker.side]
        reached = [order for order in others if sign * (taker.ticks - order.ticks) >= 0]
        return sorted(reached, key=lambda order: (sign * order.ticks, order.number))


ACTIONS = st.one_of(
    st.tuples(
        st.just("place"),
        SIDES,
        st.integers(95, 105),
        st.integers(1, 9),
        st.sampled_from("abc"),
        st.sampled_from(list(SelfTrade)),
    ),
    st.tuples(st.just("cancel"), st.integers(0, 40)),
)


@given(st.lists(ACTIONS, max_size=40))
def test_the_book_trades_like_a_sorted_list(actions: list[tuple]):
    book, plain = Book(), PlainBook()
    placed: list[Order] = []
    for number, action in enumerate(actions):
        if action[0] == "cancel":
            if action[1] < len(placed):
                order = placed[action[1]]
                book.withdraw(order)
                plain.orders = [kept for kept in plain.orders if kept.number != order.order_id]
            continue
        _, side, ticks, lots, owner, rule = action
        order = an_order(number, side, ticks, lots, owner=owner, rule=rule)
        placed.append(order)
        expected = plain.take(PlainOrder(number, owner, side, ticks, lots), rule)
        assert trade(book, order) == expected
        assert book.levels(Side.BUY) == plain.levels(Side.BUY)
        assert book.levels(Side.SELL) == plain.levels(Side.SELL)


@given(st.lists(st.tuples(SIDES, st.integers(95, 105), st.integers(1, 9)), max_size=30), SIDES, st.integers(1, 50))
def test_a_preview_tells_exactly_what_matching_then_does(resting, side: Side, lots: int):
    book = Book()
    for number, (maker_side, ticks, maker_lots) in enumerate(resting):
        trade(book, an_order(number, maker_side, ticks, maker_lots))
    taker = an_order(99, side, 100, lots, owner="taker")
    previewed = book.preview(taker)
    trades = trade(book, taker)
    assert previewed == (sum(lots for *_, lots in trades), sum(ticks * lots for _, ticks, lots in trades))


def test_changes_name_every_touched_level_once_with_what_stands_there_now():
    book = Book()
    trade(book, an_order(1, Side.BUY, 99, 5))
    trade(book, an_order(2, Side.BUY, 99, 2))
    assert book.take_changes() == ([(99, 7)], [])
    trade(book, an_order(3, Side.SELL, 99, 7, owner="b"))
    assert book.take_changes() == ([(99, 0)], [])
    assert book.take_changes() == ([], [])


def test_a_market_order_with_a_budget_spends_no_more_than_that():
    book = Book()
    trade(book, an_order(1, Side.SELL, 100, 3))
    trade(book, an_order(2, Side.SELL, 101, 9))
    taker = an_order(3, Side.BUY, 200, 10_000, owner="b")
    taker.budget = 555
    assert trade(book, taker) == [(1, 100, 3), (2, 101, 2)]
    assert taker.executed_value <= 555
    assert taker.open_lots == 0


def an_order(
    number: int, side: Side, ticks: int, lots: int, *, owner: str = "a", rule: SelfTrade = SelfTrade.REJECT_TAKER
) -> Order:
    return Order(
        order_id=number,
        owner=owner,
        symbol="X",
        side=side,
        ticks=ticks,
        lots=lots,
        placed_ns=0,
        self_trade=rule,
    )


def trade(book: Book, order: Order) -> list[tuple[int, int, int]]:
    """Match and rest an order; gives (maker, ticks, lots) of its trades."""
    trades, prevented = [], False
    for event in book.match(order):
        if isinstance(event, Match):
            trades.append((event.maker.order_id, event.ticks, event.lots))
        else:
            prevented = prevented or event.taker_leaves
    if order.open_lots and not prevented and order.budget is None:
        book.rest(order)
    return trades
