"""Where a target becomes commands: diff, ids, guard, budget. One desk serves one leg for one decision."""

from __future__ import annotations

from msgspec.structs import replace

from engine.model.commands import AmendOrder, CancelOrder, Command, SubmitOrder
from engine.model.order import ApprovedOrder, OrderRequest, Side, TimeInForce
from engine.model.target import Funds, InventoryTarget, LegTarget
from engine.risk.guard import Denied
from engine.trading.diff import Amendment, Placement, by_base_slot, diff_book
from engine.trading.exposure import affordable_lots, bearable, exposure, reducible_lots, unflagged
from engine.trading.leg import Leg
from engine.trading.lifecycle import OwnOrder
from engine.trading.orders import INVENTORY_SLOT
from engine.trading.patience import patient
from engine.trading.purse import Purse

BPS = 10_000


class Desk:
    """Brings one leg nearer to its target, as far as limits and budget allow."""

    def __init__(self, leg: Leg, now_ns: int, purse: Purse, *, interval_ns: int = 0) -> None:
        """`interval_ns` is how long a quote stays where it was put."""
        self._leg, self._now_ns, self._purse = leg, now_ns, purse
        self._interval_ns = interval_ns

    def bring_about(self, target: LegTarget, threshold_ticks: int) -> list[Command]:
        """Inventory first (it reduces risk), then cancels, then new quotes."""
        live = by_base_slot(list(self._leg.orders.live))
        live.pop(INVENTORY_SLOT, None)
        commands: list[Command] = []
        if target.inventory is not None:
            commands += self._take_inventory(target.inventory, target.funds)
        quotes = target.quotes
        if self._interval_ns:
            quotes = patient(quotes, live, self._now_ns - self._interval_ns)
        diff = diff_book(
            unflagged(self._leg, bearable(self._leg, quotes)),
            live,
            threshold_ticks=threshold_ticks,
            min_lots=self._leg.least_lots,
            can_replace=self._purse.can_place and self._leg.may_send(self._now_ns),
            can_amend=self._leg.setup.can_amend,
        )
        for amendment in diff.amendments:
            commands += self._amend(amendment, target.funds)
        for client_id in diff.cancels:
            commands += self._cancel(client_id)
        for placement in diff.placements:
            commands += self._place(self._paid_for(placement, target.funds), urgent=False)
        return commands

    def _cancel(self, client_id: int) -> list[Command]:
        order = self._leg.orders.find(client_id)
        waiting = not self._leg.refusals.allows(self._leg.cancel_key(client_id), self._now_ns)
        if order is None or waiting or not self._purse.take_cancel():
            return []
        order.cancel_sent(self._now_ns)
        self._leg.changed(order)
        return [CancelOrder(leg=self._leg.setup.leg, client_id=client_id, venue_order_id=order.venue_order_id)]

    def _amend(self, amendment: Amendment, funds: Funds | None) -> list[Command]:
        """Move an order where it rests. What stands against that (a limit, the market, an earlier refusal) does not
        stand against taking it away."""
        leg, now_ns, order = self._leg, self._now_ns, self._leg.orders.find(amendment.client_id)
        assert order is not None
        approved = self._approved(self._paid_for(amendment.wanted, funds, order), amendment.client_id, order)
        if approved is None or not self._purse.take_place():
            return self._cancel(amendment.client_id)
        amend = AmendOrder(
            leg=leg.setup.leg,
            order=approved,
            executed_lots=max(order.executed_lots, order.filled_lots),
            venue_order_id=order.venue_order_id,
        )
        terms = replace(approved.request, lots=amend.whole_lots)
        order.amend_sent(terms, now_ns, dead_after_ns=now_ns + leg.setup.send_lifetime_ns)
        leg.changed(order)
        leg.sent.count(now_ns)
        return [amend]

    def _paid_for(self, placement: Placement, funds: Funds | None, amended: OwnOrder | None = None) -> Placement:
        """As much of an order as there is money for. The target was made as if what should go were gone; until it
        is, it may still fill, and the same money must not be promised twice."""
        if funds is None:
            return placement
        lots = affordable_lots(self._leg, funds, placement.side, placement.ticks, amended)
        return replace(placement, lots=min(placement.lots, lots))

    def _take_inventory(self, wanted: InventoryTarget, funds: Funds | None) -> list[Command]:
        """Take what is missing beside what is on its way. What may turn out to be too much is waited for: an order
        against it could leave both."""
        leg = self._leg
        coming = leg.taking_lots
        missing = wanted.lots - leg.held_lots - coming
        side = Side.BUY if missing > 0 else Side.SELL
        book = leg.asks if side is Side.BUY else leg.bids
        if not book or coming * side.sign < 0:
            return []
        ticks = book[0][0] + side.sign * int(book[0][0] * wanted.slippage_bps / BPS)
        lots = min(abs(missing), reducible_lots(leg, side)) if wanted.reduce_only else abs(missing)
        reduce_only = wanted.reduce_only and leg.may_flag
        if lots < leg.instrument.min_lots(ticks, reduces=reduce_only):
            return []
        largest = leg.guard.largest_lots(ticks)
        placement = Placement(
            slot=INVENTORY_SLOT,
            side=side,
            ticks=ticks,
            lots=lots if largest is None else min(lots, largest),
            post_only=False,
            reduce_only=reduce_only,
            time_in_force=TimeInForce.IOC,
        )
        return self._place(self._paid_for(placement, funds), urgent=True)

    def _would_take(self, placement: Placement) -> bool:
        """A post-only order waits until the market lets it rest; one that rests already is never asked."""
        book = self._leg.asks if placement.side is Side.BUY else self._leg.bids
        crosses = not book or (placement.ticks - book[0][0]) * placement.side.sign >= 0
        return placement.post_only and crosses

    def _place(self, placement: Placement, *, urgent: bool) -> list[Command]:
        """Ask the guard, pay, remember, and only then command."""
        leg, now_ns = self._leg, self._now_ns
        approved = self._approved(placement, leg.orders.upcoming_id())
        if approved is None or not (self._purse.take_reduce() if urgent else self._purse.take_place()):
            return []
        dead_after_ns = now_ns + leg.setup.send_lifetime_ns
        order = OwnOrder(approved.request, submitted_ns=now_ns, dead_after_ns=dead_after_ns)
        leg.orders.issue(order)
        leg.changed(order)
        leg.sent.count(now_ns)
        return [SubmitOrder(leg=leg.setup.leg, order=approved)]

    def _approved(
        self, placement: Placement, client_id: int, amended: OwnOrder | None = None
    ) -> ApprovedOrder | None:
        """The order as it may be sent now; None when something stands against it."""
        leg, now_ns = self._leg, self._now_ns
        waiting = not leg.refusals.allows(placement.slot, now_ns) or self._would_take(placement)
        if placement.lots < leg.least_lots_of(reduce_only=placement.reduce_only) or waiting:
            return None
        request = OrderRequest(
            leg=leg.setup.leg,
            client_id=client_id,
            slot=placement.slot,
            side=placement.side,
            ticks=placement.ticks,
            lots=placement.lots,
            post_only=placement.post_only,
            reduce_only=placement.reduce_only,
            time_in_force=placement.time_in_force,
        )
        verdict = leg.guard.review(request, exposure(leg, now_ns, amended))
        if isinstance(verdict, Denied):
            leg.refused(placement.slot, None, verdict.reason, now_ns)
            return None
        return verdict
