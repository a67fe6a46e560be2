"""The book's diff: what should rest against what rests, giving what to place and what to cancel.

Pure. A live order inside the requote threshold is left alone (queue priority is money); nothing is ever
cancelled to grow; a slot with anything under way gets nothing new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.model.order import Side, TimeInForce
from engine.model.target import Quote
from engine.model.value import Value
from engine.trading.lifecycle import OwnOrder
from engine.trading.orders import base_slot

CHILDREN_MAX = 5
OVERSIZE_PCT = 105
"""A live order is cancelled for being too large only past this share of what is wanted: limits were checked
when it was sent, and a target that shrinks lot by lot must not cost the queue place every time."""


class Placement(Value, frozen=True, kw_only=True):
    """An order to send; the machine gives it an id and shows it to the guard."""

    slot: str
    side: Side
    ticks: int
    lots: int
    post_only: bool
    reduce_only: bool
    time_in_force: TimeInForce = TimeInForce.GTC


class BookDiff(Value, frozen=True, kw_only=True):
    cancels: tuple[int, ...]
    """Client ids of settled orders that should not rest as they are."""
    placements: tuple[Placement, ...]


def diff_book(
    quotes: Sequence[Quote],
    live: Mapping[str, Sequence[OwnOrder]],
    *,
    threshold_ticks: int,
    min_lots: int,
    can_replace: bool = True,
) -> BookDiff:
    """Compare wanted quotes with live orders by base slot.

    `live` holds every order that is not certainly done. Slots are unique among `quotes`. While nothing could take
    an order's place (`can_replace` False: rate or budget used up), one that is merely too far from the market
    stays, because resting a little behind is better than not resting at all.
    """
    wanted = {quote.slot: quote for quote in quotes}
    cancels: list[int] = []
    placements: list[Placement] = []
    for slot, orders in live.items():
        quote = wanted.get(slot)
        cancels += [
            order.request.client_id
            for order in orders
            if order.is_settled
            and (quote is None or _misplaced(order, quote, threshold_ticks, bear_passive=not can_replace))
        ]
    leaving = set(cancels)
    for slot, quote in wanted.items():
        orders = live.get(slot, ())
        under_way = any(_is_under_way(order) or order.request.client_id in leaving for order in orders)
        lots = 0 if under_way else _missing(quote, orders)
        if lots >= min_lots:
            placements.append(_placement(quote, _free_slot(slot, orders), lots))
    return BookDiff(cancels=tuple(cancels), placements=tuple(placements))


def by_base_slot(orders: Sequence[OwnOrder]) -> dict[str, list[OwnOrder]]:
    """Live orders grouped the way `diff_book` wants them."""
    grouped: dict[str, list[OwnOrder]] = {}
    for order in orders:
        grouped.setdefault(base_slot(order.request.slot), []).append(order)
    return grouped


def _is_under_way(order: OwnOrder) -> bool:
    """Also while fills the venue has counted are still to come: the target does not know of them yet."""
    return not order.is_settled or order.executed_lots > order.filled_lots


def _misplaced(order: OwnOrder, quote: Quote, threshold_ticks: int, *, bear_passive: bool) -> bool:
    request = order.request
    too_near = (request.ticks - quote.ticks) * request.side.sign
    return (
        request.side is not quote.side
        or request.reduce_only is not quote.reduce_only
        or request.post_only is not quote.post_only
        or too_near > threshold_ticks
        or (-too_near > threshold_ticks and not bear_passive)
        or order.remaining_lots * 100 > quote.lots * OVERSIZE_PCT
    )


def _missing(quote: Quote, orders: Sequence[OwnOrder]) -> int:
    """Lots to add to a slot: all of it when empty, the gap when it has run below its refill mark."""
    if not orders:
        return quote.lots
    resting = sum(order.remaining_lots for order in orders)
    if quote.refill_below is None or resting >= quote.refill_below * quote.lots or len(orders) >= CHILDREN_MAX:
        return 0
    return quote.lots - resting


def _free_slot(slot: str, orders: Sequence[OwnOrder]) -> str:
    taken = {order.request.slot for order in orders}
    if slot not in taken:
        return slot
    return next(child for n in range(2, CHILDREN_MAX + 2) if (child := f"{slot}+{n}") not in taken)


def _placement(quote: Quote, slot: str, lots: int) -> Placement:
    return Placement(
        slot=slot,
        side=quote.side,
        ticks=quote.ticks,
        lots=lots,
        post_only=quote.post_only,
        reduce_only=quote.reduce_only,
    )
