"""All own orders of one leg: found by client id, venue id and slot; bounded; and the only judge of ownership.

An order is ours when its tag is ours *and* we issued its sequence (law 3). One with our tag that was never
issued is left alone and alarmed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from enum import Enum

from engine.model.account import Fill
from engine.model.ids import ClientIdScheme
from engine.model.order import Side
from engine.trading.lifecycle import OwnOrder

DONE_KEPT = 2_000
FILLS_KEPT = 20_000
INVENTORY_SLOT = "inventory"
REDUCE_SLOT = "reduce"
"""Orders that bring about an inventory target."""
ORPHAN_SLOT = "orphan"
"""An order of ours that rests although it was thought to be over; its id follows."""
SYSTEM_SLOT = "system"
"""Liquidation and ADL on our market: ours, though no order of ours did it."""
ADOPTED_SLOT = "adopted"
"""Position that was there and that a person gave to the bot: held from then on, and traded by nobody."""


class Owner(Enum):
    OURS = "ours"
    FOREIGN = "foreign"
    IMPOSTOR = "our tag, but never issued"


class Sequence:
    """Counts a bot's orders over all its legs and all its lives; the ids wrap, the count does not."""

    def __init__(self, following: int) -> None:
        self.following = following


class OwnOrders:
    """Live orders whole, done ones for a while, so that late news still finds them."""

    def __init__(self, scheme: ClientIdScheme, tag: int, sequence: Sequence) -> None:
        self._scheme, self._tag, self._sequence = scheme, tag, sequence
        self._live: dict[int, OwnOrder] = {}
        self._done: OrderedDict[int, OwnOrder] = OrderedDict()
        self._by_venue_id: dict[str, OwnOrder] = {}
        self._seen_fills: OrderedDict[tuple[str, str], int] = OrderedDict()
        """Lots by (trade id, venue order id)."""

    def upcoming_id(self) -> int:
        """The client id the next issued order will have; after wrap-around ids that may live are skipped."""
        while (client_id := self._scheme.compose(self._tag, self._sequence.following)) in self._live:
            self._sequence.following += 1
        return client_id

    def issue(self, order: OwnOrder) -> None:
        """Take an order whose id is the upcoming one: from here on that id is used."""
        self._sequence.following += 1
        self.add(order)

    def add(self, order: OwnOrder) -> None:
        self._live[order.request.client_id] = order

    @property
    def live(self) -> Iterable[OwnOrder]:
        """Every order that is not certainly done."""
        return self._live.values()

    def live_in(self, slot: str) -> list[OwnOrder]:
        """The live orders of a slot and its children (`bid.0`, `bid.0+2`)."""
        return [order for order in self._live.values() if base_slot(order.request.slot) == slot]

    def find(self, client_id: int | None, venue_order_id: str | None = None) -> OwnOrder | None:
        """By client id, else by venue id: not every fill carries a client id."""
        if client_id is not None:
            return self._live.get(client_id) or self._done.get(client_id)
        return self._by_venue_id.get(venue_order_id) if venue_order_id is not None else None

    def owner_of(self, client_id: int | None, venue_order_id: str | None = None) -> Owner:
        """Whose order this is, before anything is done about it."""
        if self.find(client_id, venue_order_id) is not None:
            return Owner.OURS
        if client_id is None or self._scheme.tag_of(client_id) != self._tag:
            return Owner.FOREIGN
        issued = self._scheme.sequence_of(client_id) < self._sequence.following
        return Owner.OURS if issued else Owner.IMPOSTOR

    def touched(self, order: OwnOrder) -> None:
        """Call after every piece of news: keeps the indexes true and the done ones bounded."""
        client_id = order.request.client_id
        if order.venue_order_id is not None:
            self._by_venue_id[order.venue_order_id] = order
        if not order.is_done:
            self._done.pop(client_id, None)
            self._live[client_id] = order
            return
        self._live.pop(client_id, None)
        self._done[client_id] = order
        while len(self._done) > DONE_KEPT:
            _, oldest = self._done.popitem(last=False)
            if oldest.venue_order_id is not None:
                self._by_venue_id.pop(oldest.venue_order_id, None)

    def count_once(self, fill: Fill) -> bool:
        """True the first time a fill is seen; hearing one twice is normal."""
        key = (fill.trade_id, fill.venue_order_id)
        if key in self._seen_fills:
            return False
        self._seen_fills[key] = fill.lots
        self._forget_fills()
        return True

    def filled_lots_of(self, venue_order_id: str) -> int:
        """What is remembered of an order's fills."""
        return sum(lots for (_, order_id), lots in self._seen_fills.items() if order_id == venue_order_id)

    def _forget_fills(self) -> None:
        """The oldest, but not those of orders that are known: the venue tells them again whenever it is asked about
        such an order. For one that came two are looked at, so that what is put back does not pile up."""
        for _ in range(2):
            if len(self._seen_fills) <= FILLS_KEPT:
                return
            key, lots = self._seen_fills.popitem(last=False)
            if key[1] in self._by_venue_id:
                self._seen_fills[key] = lots

    def without(self, order: OwnOrder | None) -> Iterable[OwnOrder]:
        """The live orders but one, which is under review."""
        return (each for each in self._live.values() if each is not order)

    def open_lots(self, side: Side, without: OwnOrder | None = None) -> int:
        """Everything on a side that may still move the position, unresolved and pending included."""
        return sum(order.at_risk_lots for order in self.without(without) if order.request.side is side)


def base_slot(slot: str) -> str:
    """The slot a child belongs to: `bid.0+2` is a child of `bid.0`."""
    return slot.partition("+")[0]
