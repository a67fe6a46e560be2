"""The book's diff: what should rest against what rests, giving what to place and what to cancel.

Pure. A live order inside the requote threshold is left alone (queue priority is money); nothing is ever
cancelled to grow; a slot with anything under way gets nothing new.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

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


class Amendment(Value, frozen=True, kw_only=True):
    """What an order that rests should become."""

    client_id: int
    wanted: Placement


class BookDiff(Value, frozen=True, kw_only=True):
    cancels: tuple[int, ...]
    """Client ids of orders that should not rest as they are."""
    placements: tuple[Placement, ...]
    amendments: tuple[Amendment, ...] = ()
    """Orders that should rest elsewhere or smaller, where a venue can do that in one request."""


def diff_book(
    quotes: Sequence[Quote],
    live: Mapping[str, Sequence[OwnOrder]],
    *,
    threshold_ticks: int,
    min_lots: int,
    can_replace: bool = True,
    can_amend: bool = False,
) -> BookDiff:
    """Compare wanted quotes with live orders by base slot.

    `live` holds every order that is not certainly done. Slots are unique among `quotes`. While nothing could take
    an order's place (`can_replace` False: rate or budget used up), one that is merely too far from the market
    stays, because resting a little behind is better than not resting at all.
    """
    wanted = {quote.slot: quote for quote in quotes}
    cancels: list[int] = []
    amendments: list[Amendment] = []
    for slot, orders in live.items():
        quote = wanted.get(slot)
        astray = _astray(orders, quote, threshold_ticks, bear_passive=not can_replace)
        if quote and astray and can_amend and can_replace and _fits_amending(orders, quote, min_lots):
            amendments.append(_amendment(orders[0], quote, threshold_ticks))
        else:
            cancels += [order.request.client_id for order in astray]
    leaving = {*cancels, *(each.client_id for each in amendments)}
    placements = (_to_place(quote, live.get(slot, ()), leaving, min_lots) for slot, quote in wanted.items())
    return BookDiff(
        cancels=tuple(cancels), placements=tuple(filter(None, placements)), amendments=tuple(amendments)
    )


def by_base_slot(orders: Sequence[OwnOrder]) -> dict[str, list[OwnOrder]]:
    """Live orders grouped the way `diff_book` wants them."""
    grouped: dict[str, list[OwnOrder]] = {}
    for order in orders:
        grouped.setdefault(base_slot(order.request.slot), []).append(order)
    return grouped


def _astray(
    orders: Sequence[OwnOrder], quote: Quote | None, threshold_ticks: int, *, bear_passive: bool
) -> list[OwnOrder]:
    """Orders of a slot that should not rest as they do, and can be taken away."""
    return [
        order
        for order in orders
        if order.may_be_canceled
        and (quote is None or _misplaced(order, quote, threshold_ticks, bear_passive=bear_passive))
    ]


def _to_place(
    quote: Quote, orders: Sequence[OwnOrder], leaving: Collection[int], min_lots: int
) -> Placement | None:
    """What a slot lacks; nothing while anything of it is under way."""
    under_way = any(_is_under_way(order) or order.request.client_id in leaving for order in orders)
    lots = 0 if under_way else _missing(quote, orders)
    return _placement(quote, _free_slot(quote.slot, orders), lots) if lots >= min_lots else None


def _is_under_way(order: OwnOrder) -> bool:
    """Also while fills the venue has counted are still to come: the target does not know of them yet."""
    return not order.is_settled or order.executed_lots > order.filled_lots


def _misplaced(order: OwnOrder, quote: Quote, threshold_ticks: int, *, bear_passive: bool) -> bool:
    """By the worst price it may have, while it is not known which of two it is."""
    too_near = [(terms.ticks - quote.ticks) * terms.side.sign for terms in order.terms]
    return (
        not _is_alike(order, quote)
        or max(too_near) > threshold_ticks
        or (-min(too_near) > threshold_ticks and not bear_passive)
        or order.remaining_lots * 100 > quote.lots * OVERSIZE_PCT
    )


def _is_alike(order: OwnOrder, quote: Quote) -> bool:
    """In everything that no amend can change."""
    request = order.request
    return (
        request.side is quote.side
        and request.reduce_only is quote.reduce_only
        and request.post_only is quote.post_only
    )


def _fits_amending(orders: Sequence[OwnOrder], quote: Quote, min_lots: int) -> bool:
    """One order that rests alone in its slot, and nothing of it under way."""
    alone = len(orders) == 1 and not _is_under_way(orders[0])
    return alone and _is_alike(orders[0], quote) and quote.lots >= min_lots


def _amendment(order: OwnOrder, quote: Quote, threshold_ticks: int) -> Amendment:
    """A price within the threshold stays: an order that only shrinks may keep its place in the queue."""
    ticks = order.request.ticks if abs(order.request.ticks - quote.ticks) <= threshold_ticks else quote.ticks
    wanted = _placement(quote, order.request.slot, quote.lots)
    return Amendment(client_id=order.request.client_id, wanted=replace(wanted, ticks=ticks))


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
