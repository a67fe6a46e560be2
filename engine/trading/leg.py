"""One leg's whole state: market, account, own orders. Takes events; decides nothing about what to trade."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from engine.clock import NS_PER_S
from engine.model.account import Fill
from engine.model.events import Level, PositionReported
from engine.model.ids import ClientIdScheme
from engine.model.instrument import Instrument, MarketKind
from engine.model.order import OrderReport, OrderRequest, OrderStatus, RejectReason, Side, TimeInForce
from engine.model.target import LegTarget
from engine.model.value import Value
from engine.risk.guard import Guard, Room
from engine.spec.types import RiskSpec
from engine.trading.accounting import Accounting
from engine.trading.difference import UNEXPLAINED, Difference
from engine.trading.funding import Funding
from engine.trading.lifecycle import OwnOrder
from engine.trading.mids import MidHistory
from engine.trading.orders import INVENTORY_SLOT, ORPHAN_SLOT, SYSTEM_SLOT, Owner, OwnOrders, Sequence
from engine.trading.others import OwnLevels
from engine.trading.rate import SentOrders
from engine.trading.records import FillRecord, FundingRecord, MemoRecord, Note, OrderRecord, OrderState, Record
from engine.trading.refusals import Refusals
from engine.trading.sync import Sync, is_question
from engine.trading.tally import LegTally
from engine.trading.venue_position import VenuePosition

NO_BOOK_YET = "no book yet"
FIRST_BOOK_NS = 10 * NS_PER_S
WORTH_COUNTING = frozenset(RejectReason) - {
    RejectReason.WOULD_CROSS,
    RejectReason.NOTHING_TO_TAKE,
    RejectReason.RATE_LIMITED,
    RejectReason.VENUE_BUSY,
    RejectReason.NOT_SENT,
}
"""Refusals that show something to be wrong; the others belong to a fast market and a busy line."""


class LegSetup(Value, frozen=True, kw_only=True):
    """What a machine must know of a leg from the start. `tag` is the bot's owner tag on the account."""

    leg: str
    instrument: Instrument
    client_ids: ClientIdScheme
    tag: int
    send_lifetime_ns: int
    can_amend: bool = False
    tells_funding: bool = False


class Leg:
    """State of one leg. Everything that must outlive the process leaves through `records`."""

    def __init__(self, setup: LegSetup, risk: RiskSpec, sequence: Sequence) -> None:
        self.setup = setup
        self.instrument = setup.instrument
        self.limit_by(risk)
        self.orders = OwnOrders(setup.client_ids, setup.tag, sequence)
        self.accounting = Accounting(setup.instrument)
        self.tally = LegTally(setup.leg, setup.instrument)
        is_perp = setup.instrument.kind is MarketKind.PERP
        self.funding = Funding(setup.leg, self.accounting, is_paid=is_perp, is_told=setup.tells_funding)
        self.sync = Sync(setup.leg, setup.instrument.kind)
        self.refusals = Refusals()
        self.records: list[Record] = []
        self.bids: tuple[Level, ...] = ()
        self.asks: tuple[Level, ...] = ()
        self._own_levels = OwnLevels()
        self.book_why_not = NO_BOOK_YET
        self.booked_ns = 0
        self.mark: Decimal | None = None
        self.available: dict[str, Decimal] | None = None
        """What the account has free by asset, where the rounds ask for it; below, what it has bound."""
        self.locked: dict[str, Decimal] | None = None
        self.balanced_ns = 0
        self.marked_ns = 0
        self.funding_rate: Decimal | None = None
        self.mids = MidHistory()
        self.memo = ""
        self.idle_reason = ""
        """Why the strategy wants less than usual, in its own words."""
        self.link_why_not = "not connected yet"
        self._connected_ns = 0
        self.was_synced = False
        self.synced = False
        self.venue_position = VenuePosition()
        self.difference = Difference()
        self.rejects_in_a_row = 0
        """Orders refused by the venue since it last took one, for reasons that do not pass by themselves."""
        self.money_why_not = ""
        """Why nothing may be added for the bot as a whole; empty while it may."""
        self.rooms: Callable[[int], tuple[Room, ...]] = lambda _now_ns: ()
        """What is left of the budgets that the bot shares; put in by `budgets`."""
        self.sent = SentOrders()
        self._remembered_ns: int | None = None

    # Memory -------------------------------------------------------------------------------------------------

    def remember_order(self, record: OrderRecord) -> None:
        order = OwnOrder.remembered(record)
        self.tally.remember_order(order)
        self.orders.touched(order)
        self._remembered_ns = min(self._remembered_ns or record.submitted_ns, record.submitted_ns)

    def remember(self, counted: FillRecord | FundingRecord) -> None:
        """What the books were made of, in the order in which it was counted."""
        if isinstance(counted, FundingRecord):
            self.funding.remember(counted)
        elif self.orders.count_once(counted.fill):
            self.accounting.add(counted.slot, counted.fill)

    def begin_run(self) -> None:
        """All is remembered: what comes now belongs to this life."""
        self.accounting.begin_run()
        self.tally.begin(self.accounting.fills + self.accounting.payments)

    def asked_since_ns(self, now_ns: int) -> int:
        """How far back a round must look: to the last one that proved something, and to every open question."""
        proved_ns = self.sync.proved_ns or self._remembered_ns or now_ns
        asked = (order.submitted_ns for order in self.orders.live if not order.is_settled)
        return min(proved_ns, *asked, now_ns)

    # News ---------------------------------------------------------------------------------------------------

    def connected(self, at_ns: int) -> None:
        """The account stream is heard from here on; what came before is asked for."""
        self.link_why_not, self.synced, self._connected_ns = "", False, at_ns
        for order in self.orders.live:
            order.not_after(at_ns, dead_after_ns=at_ns + self.setup.send_lifetime_ns)
        self.sync.want(at_ns)
        self.funding.want(at_ns)

    def order_reported(self, report: OrderReport, at_ns: int) -> None:
        """Take a report of any order on the market; others' are left alone (law 3)."""
        owner = self.orders.owner_of(report.client_id, report.venue_order_id)
        if owner is Owner.IMPOSTOR and report.status.is_open:
            self.note(at_ns, "an order carries our tag but was never issued", order=report.venue_order_id)
        if owner is not Owner.OURS:
            return
        order = self.orders.find(report.client_id, report.venue_order_id)
        if order is None and report.status.is_open:
            order = self._adopt(report, at_ns)
        if order is not None:
            before = (order.state, order.executed_lots, order.venue_order_id, order.terms)
            order.reported(report, at_ns)
            if before[0] is not order.state:
                self._learn_of_slot(order, report, at_ns)
            if before != (order.state, order.executed_lots, order.venue_order_id, order.terms):
                self.changed(order)

    def _learn_of_slot(self, order: OwnOrder, report: OrderReport, at_ns: int) -> None:
        """The venue took an order of the slot. One that takes counts as taken only when it found something: the
        next would find as little, so it waits as after a refusal."""
        slot, takes = order.request.slot, order.request.time_in_force is TimeInForce.IOC
        if order.executed_lots or (report.status is OrderStatus.RESTING and not takes):
            self.taken(slot)
        elif takes and order.is_done:
            self.refused(slot, RejectReason.NOTHING_TO_TAKE, report.reason, at_ns)

    def fill_reported(self, fill: Fill, at_ns: int) -> bool:
        """Count an own fill once; True when it was new."""
        order = self.orders.find(fill.client_id, fill.venue_order_id)
        if (order is None and not fill.system) or not self.orders.count_once(fill):
            return False
        slot = SYSTEM_SLOT if order is None else order.request.slot
        self.accounting.add(slot, fill)
        self.venue_position.filled(fill.lots * fill.side.sign)
        self.records.append(FillRecord(leg=self.setup.leg, slot=slot, fill=fill))
        if order is not None:
            self._learn_of_fill(order)
            order.filled(fill, at_ns)
            self.changed(order)
        return True

    def _learn_of_fill(self, order: OwnOrder) -> None:
        """That the venue took an order which rests was news once, and says nothing of those sent since."""
        if order.venue_order_id is None or order.request.time_in_force is TimeInForce.IOC:
            self.taken(order.request.slot)
        else:
            self.refusals.accepted(order.request.slot)

    def position_reported(self, event: PositionReported) -> None:
        """Keep the venue's figure, and hold own books against one that was asked for."""
        self.venue_position.told(event.position.lots)
        self.difference.entry_price = event.position.entry_price
        if event.requested_ns is None or self.instrument.kind is not MarketKind.PERP:
            return
        has_traded = bool(self.accounting.fills) or any(True for _ in self.orders.live)
        if self.difference.look(event.position, self.accounting, may_have_moved=has_traded):
            self.alarm(event.at_ns, UNEXPLAINED, lots=self.difference.lots)

    def changed(self, order: OwnOrder) -> None:
        """Index and remember an order after news."""
        self.orders.touched(order)
        self._own_levels.changed(order)
        self.tally.order_changed(order)
        self.records.append(order.record())

    def taken(self, slot: str) -> None:
        """The venue took what was wanted of it: whatever was wrong is over."""
        self.refusals.accepted(slot)
        self.rejects_in_a_row = 0

    def refused(self, slot: str, reason: RejectReason | None, words: str, at_ns: int) -> None:
        """Remember a refusal and say so once, not every time it is repeated."""
        self.rejects_in_a_row += reason in WORTH_COUNTING
        if self.refusals.refused(slot, reason, words, at_ns):
            who = "guard" if reason is None else "venue"
            self.note(at_ns, "order refused", slot=slot, by=who, reason=reason or words, words=words)

    def judge(self, now_ns: int) -> None:
        """Every answer of a round came: draw the conclusions, and see whether quoting may begin."""
        own_lots = self.accounting.position_lots + self.difference.ignored_lots
        for order in list(self.orders.live):
            if self.sync.judge(order, now_ns, is_position_own=self.venue_position.lots == own_lots):
                self.changed(order)
        unsettled = (OrderState.UNRESOLVED, OrderState.CLOSING)
        if not any(order.state in unsettled for order in self.orders.live):
            self.synced = self.was_synced = True
        open_questions = not self.synced or any(is_question(order, now_ns) for order in self.orders.live)
        self.sync.concluded(now_ns, open_questions=open_questions)

    def limit_by(self, risk: RiskSpec) -> None:
        """New limits, from now on."""
        self.guard = Guard(risk, self.instrument)
        self._mark_lasts_ns = int(risk.max_data_age_s * NS_PER_S)

    def wanted(self, target: LegTarget, at_ns: int) -> None:
        """Keep what a target says beside its orders; a memo is on disk before those leave."""
        self.idle_reason = target.reason
        if target.memo is not None and target.memo != self.memo:
            self.memo = target.memo
            self.records.append(MemoRecord(leg=self.setup.leg, memo=target.memo))
            self.note(at_ns, "the strategy remembers", memo=target.memo)

    def take_records(self, now_ns: int) -> list[Record]:
        """What the journal must keep of the step that ends now."""
        taken, self.records = self.records, []
        return [*taken, *self.tally.take_records(now_ns)] if taken else []

    def look_at_touch(self, at_ns: int) -> None:
        """Note for the statistics whether own quotes lead the market from now on."""
        known = bool(self.bids and self.asks) and not self.why_not
        touch = self._own_levels.at_touch(self.bids[0][0], self.asks[0][0], self.orders.live) if known else None
        self.tally.at_touch(at_ns, touch)

    def note(self, at_ns: int, what: str, **facts: str | int | None) -> None:
        self.records.append(Note(at_ns=at_ns, leg=self.setup.leg, what=what, facts=dict(facts)))

    def alarm(self, at_ns: int, what: str, **facts: str | int | None) -> None:
        """A note that somebody should look at."""
        self.records.append(Note(at_ns=at_ns, leg=self.setup.leg, what=what, facts=dict(facts), alarm=True))

    def _adopt(self, report: OrderReport, at_ns: int) -> OwnOrder | None:
        """One of ours rests that we thought was over: take it back, so that it is seen and cancelled."""
        if report.client_id is None:
            return None
        request = OrderRequest(
            leg=self.setup.leg,
            client_id=report.client_id,
            slot=f"{ORPHAN_SLOT}.{report.client_id}",
            side=report.side,
            ticks=report.ticks,
            lots=report.lots,
        )
        self.note(at_ns, "found an own order that was thought to be over", order=report.venue_order_id)
        order = OwnOrder(request, submitted_ns=at_ns, dead_after_ns=at_ns)
        order.filled_lots = self.orders.filled_lots_of(report.venue_order_id)
        self.orders.add(order)
        return order

    # What it looks like -------------------------------------------------------------------------------------

    @property
    def why_not(self) -> str:
        """Why this leg must not quote; empty when it may."""
        return self.link_why_not or ("" if self.synced else "asking the venue") or self.book_why_not

    def may_be_pulled(self, now_ns: int) -> bool:
        """Whether quotes may be taken away while the leg cannot quote.

        Not while it asks after connecting (what rests is not known well enough to be touched), and not in the
        moment between a restart and the first book, which would cost every queue place.
        """
        asking = not self.link_why_not and not self.synced
        young = self.book_why_not == NO_BOOK_YET and now_ns - self._connected_ns < FIRST_BOOK_NS
        return self.was_synced and not asking and not young

    @property
    def least_lots(self) -> int:
        """The smallest order the venue takes at today's price."""
        return self.least_lots_of(reduce_only=False)

    def least_lots_of(self, *, reduce_only: bool) -> int:
        """The same of orders that can only reduce: some venues take those whatever they are worth."""
        return self.instrument.min_lots(self.bids[0][0] if self.bids else 0, reduces=reduce_only)

    @property
    def may_flag(self) -> bool:
        """Whether what takes the own position out may say to the venue that it only reduces: not beside a position
        that somebody else holds."""
        return self.instrument.kind is MarketKind.PERP and not self.difference.ignored_lots

    @staticmethod
    def cancel_key(client_id: int) -> str:
        """Under which refused cancels are remembered: each order's own, so that one cannot hold up another."""
        return f"cancel.{client_id}"

    @property
    def twice_mid_ticks(self) -> int | None:
        return self.bids[0][0] + self.asks[0][0] if self.bids and self.asks else None

    @property
    def held_lots(self) -> int:
        """What own fills left us with: on spot, fees taken in base have left too."""
        if self.instrument.kind is MarketKind.SPOT:
            return self.instrument.lots_within(self.accounting.base_change)
        return self.accounting.position_lots

    @property
    def held_base(self) -> Decimal:
        """What own fills left in base, exactly: less than a lot counts too."""
        if self.instrument.kind is MarketKind.SPOT:
            return self.accounting.base_change
        return self.instrument.size(self.accounting.position_lots)

    @property
    def taking_lots(self) -> int:
        """Signed lots that orders which take may still bring: under way, unresolved, or waiting for their fills."""
        taking = self.orders.live_in(INVENTORY_SLOT)
        return sum(order.request.side.sign * order.at_risk_lots for order in taking)

    @property
    def take_refused(self) -> str:
        """Why the last order that should have taken was not."""
        return self.refusals.standing(INVENTORY_SLOT)

    @property
    def net_pnl(self) -> Decimal | None:
        """What own fills made after fees, at the present mid; None while that is unknown."""
        twice_mid = self.twice_mid_ticks
        return None if twice_mid is None else self.accounting.net_pnl(twice_mid)

    def others(self, side: Side, now_ns: int) -> tuple[Level, ...]:
        """The book's levels on a side without our own orders."""
        levels = self.bids if side is Side.BUY else self.asks
        return self._own_levels.others(side, levels, self.orders.live, now_ns)

    def fresh_mark(self, now_ns: int) -> Decimal | None:
        """The mark price while it is new enough to go by."""
        return self.mark if now_ns - self.marked_ns <= self._mark_lasts_ns else None

    @property
    def venue_position_now(self) -> int | None:
        """The venue's figure of what is ours, with the fills heard since."""
        ignored_lots = self.difference.ignored_lots
        return self.venue_position.with_fills(own_lots=self.accounting.position_lots, ignored_lots=ignored_lots)

    def may_send(self, now_ns: int) -> bool:
        """Whether the order rate has room for one more quote."""
        return self.sent.last_minute(now_ns) < self.guard.quotes_per_minute

    @property
    def adding_blocked(self) -> str:
        """Why no order may add to the position; empty while orders may."""
        if self.money_why_not or self.instrument.kind is not MarketKind.PERP:
            return self.money_why_not
        if self.venue_position.lots is None:
            return "the venue's position is unknown"
        return UNEXPLAINED if self.difference.lots else ""
