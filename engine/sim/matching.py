"""A price-time priority order book in integer ticks and lots. Knows orders, not money.

Called by `exchange`, which settles each trade before the next one is made: matching is a generator, so a
settlement may withdraw other orders (a reduce-only order that has nothing left to reduce) in between.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass

from engine.model.order import Side
from engine.sim.orders import Order, SelfTrade

Level = tuple[int, int]
"""(ticks, lots)."""


@dataclass(slots=True, frozen=True)
class Match:
    """Maker and taker meet at the maker's price; both orders already count it as executed."""

    maker: Order
    ticks: int
    lots: int


@dataclass(slots=True, frozen=True)
class Prevented:
    """Maker and taker belong to one account: whoever is listed leaves unexecuted."""

    maker_leaves: Order | None
    taker_leaves: bool


class Book:
    """Both sides of one market."""

    def __init__(self) -> None:
        self._sides = {Side.BUY: _BookSide(1), Side.SELL: _BookSide(-1)}
        self._touched: dict[Side, set[int]] = {Side.BUY: set(), Side.SELL: set()}

    def best(self, side: Side) -> int | None:
        return self._sides[side].best

    def lots_at(self, side: Side, ticks: int) -> int:
        return self._sides[side].totals.get(ticks, 0)

    def levels(self, side: Side, limit: int | None = None) -> list[Level]:
        """Levels of one side, best first."""
        return self._sides[side].levels(limit)

    def would_cross(self, order: Order) -> bool:
        best = self.best(order.side.opposite)
        return best is not None and order.reaches(best)

    def take_changes(self) -> tuple[list[Level], list[Level]]:
        """Levels (bids, asks) touched since last asked, with what stands there now; 0 lots is a level gone."""
        changes = tuple(
            [(ticks, self.lots_at(side, ticks)) for ticks in sorted(self._touched[side])] for side in Side
        )
        for touched in self._touched.values():
            touched.clear()
        bids, asks = changes
        return bids, asks

    def rest(self, order: Order) -> None:
        """Put an order at the end of its level's queue."""
        self._sides[order.side].add(order)
        self._touched[order.side].add(order.ticks)

    def withdraw(self, order: Order) -> None:
        """Take a resting order out; one that does not rest is left alone."""
        if self._sides[order.side].remove(order):
            self._touched[order.side].add(order.ticks)

    def shrink(self, order: Order, lots: int) -> None:
        """Lower a resting order's open size; it keeps its place in the queue."""
        self._sides[order.side].shrink(order, lots)
        self._touched[order.side].add(order.ticks)

    def match(self, taker: Order) -> Iterator[Match | Prevented]:
        """Trade the taker against resting orders, best price first, oldest first, at the makers' prices."""
        makers = self._sides[taker.side.opposite]
        while (maker := makers.front()) is not None and taker.reaches(maker.ticks):
            ticks = maker.ticks
            if (lots := min(taker.wants_at(ticks), maker.open_lots)) <= 0:
                return
            if maker.owner == taker.owner:
                yield self._prevent(taker, maker)
                if taker.self_trade is not SelfTrade.REJECT_MAKER:
                    return
                continue
            makers.execute(maker, lots)
            taker.execute(ticks, lots)
            self._touched[maker.side].add(ticks)
            yield Match(maker, ticks, lots)

    def _prevent(self, taker: Order, maker: Order) -> Prevented:
        if taker.self_trade is SelfTrade.REJECT_TAKER:
            return Prevented(None, taker_leaves=True)
        self.withdraw(maker)
        return Prevented(maker, taker_leaves=taker.self_trade is SelfTrade.REJECT_BOTH)

    def preview(self, taker: Order) -> tuple[int, int]:
        """(lots, value in tick-lots) that `match` would trade now, without trading."""
        lots = value = 0
        for maker in self._sides[taker.side.opposite].queue():
            wanted = taker.lots - lots
            if taker.budget is not None:
                wanted = min(wanted, (taker.budget - value) // maker.ticks)
            if wanted <= 0 or not taker.reaches(maker.ticks):
                break
            if maker.owner == taker.owner:
                if taker.self_trade is not SelfTrade.REJECT_MAKER:
                    break
                continue
            taken = min(wanted, maker.open_lots)
            lots += taken
            value += taken * maker.ticks
        return lots, value


class _BookSide:
    """One side. `keys` is ascending with the best price last, so that the best is found and removed for free."""

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._keys: list[int] = []
        self._queues: dict[int, dict[int, Order]] = {}
        self.totals: dict[int, int] = {}

    @property
    def best(self) -> int | None:
        return self._keys[-1] * self._sign if self._keys else None

    def front(self) -> Order | None:
        """The order that trades next."""
        if not self._keys:
            return None
        return next(iter(self._queues[self._keys[-1] * self._sign].values()))

    def queue(self) -> Iterator[Order]:
        """All orders in the order in which they would trade."""
        for key in reversed(self._keys):
            yield from self._queues[key * self._sign].values()

    def levels(self, limit: int | None) -> list[Level]:
        keys = self._keys if limit is None else self._keys[-limit:]
        return [(key * self._sign, self.totals[key * self._sign]) for key in reversed(keys)]

    def add(self, order: Order) -> None:
        ticks = order.ticks
        if ticks not in self._queues:
            self._queues[ticks] = {}
            self.totals[ticks] = 0
            insort(self._keys, ticks * self._sign)
        self._queues[ticks][order.order_id] = order
        self.totals[ticks] += order.open_lots

    def remove(self, order: Order) -> bool:
        queue = self._queues.get(order.ticks, {})
        if queue.pop(order.order_id, None) is None:
            return False
        self.totals[order.ticks] -= order.open_lots
        self._drop_empty(order.ticks)
        return True

    def shrink(self, order: Order, lots: int) -> None:
        self.totals[order.ticks] -= order.open_lots - lots
        order.lots = order.executed_lots + lots

    def execute(self, maker: Order, lots: int) -> None:
        maker.execute(maker.ticks, lots)
        self.totals[maker.ticks] -= lots
        if maker.open_lots == 0:
            del self._queues[maker.ticks][maker.order_id]
            self._drop_empty(maker.ticks)

    def _drop_empty(self, ticks: int) -> None:
        if not self._queues[ticks]:
            del self._queues[ticks], self.totals[ticks]
            del self._keys[bisect_left(self._keys, ticks * self._sign)]
