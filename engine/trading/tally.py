"""What a leg's fills do not tell: the fate of its orders, how long the venue took, how long quotes led the market.

Counted twice, over all lives of the bot on its market (`total`) and over this one (`run`). What is counted of
orders is in the journal in the same transaction as their records, so it is exact after kill -9; times that go with
no record are as old as the newest one. It never makes a commit of its own: a full disk must not stop a bot for its
statistics. Nothing here is read by what decides.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

from engine.clock import NS_PER_S
from engine.model.instrument import Instrument
from engine.trading.durations import Durations
from engine.trading.lifecycle import NOT_COUNTED, Counted, OwnOrder
from engine.trading.orders import ORPHAN_SLOT
from engine.trading.records import OrderState, RunRecord, TallyCounts, TallyRecord

KEPT_EVERY_NS = 60 * NS_PER_S
"""Times alone go with the next record this often; every order sent would pay for more."""


class Count(StrEnum):
    """What is counted. Sizes are lots, times are nanoseconds."""

    PLACED = "placed"
    REJECTED = "rejected"
    CANCELED = "canceled"
    EXPIRED = "expired"
    FILLED = "filled"
    AMENDED = "amended"
    ENDED_LOTS = "ended_lots"
    """The size of placed orders that are over, and below what of it was executed."""
    EXECUTED_LOTS = "executed_lots"
    WATCHED_NS = "watched_ns"
    """While a whole book and the own orders were known, and below while the own best bid or ask led it."""
    BID_AT_TOUCH_NS = "bid_at_touch_ns"
    ASK_AT_TOUCH_NS = "ask_at_touch_ns"


class Timed(StrEnum):
    """What is timed."""

    SEND = "book_to_send"
    """From a book change in hand to the orders it led to being handed to the session."""
    SUBMIT = "submit_to_ack"
    """From the decision to send an order to the first news that the venue took or refused it."""
    AMEND = "amend_to_ack"
    CANCEL = "cancel_to_ack"
    """From the decision to cancel an order to the news that it is canceled."""
    HEDGE = "time_to_hedge"
    """From the fill that opened a residual to its end."""


_ENDS = {OrderState.CANCELED: Count.CANCELED, OrderState.EXPIRED: Count.EXPIRED, OrderState.FILLED: Count.FILLED}


class Tally:
    """The counts and times of one span of a leg's life."""

    def __init__(self, kept: TallyCounts | None = None) -> None:
        known = kept or TallyCounts()
        self.counts: Counter[Count] = Counter({Count(name): number for name, number in known.counts.items()})
        durations = {Timed(name): Durations(each) for name, each in known.durations.items()}
        self.durations = {timed: durations.get(timed) or Durations() for timed in Timed}

    def kept(self) -> TallyCounts:
        """What a journal keeps of it."""
        return TallyCounts(
            counts={str(name): number for name, number in self.counts.items()},
            durations={str(timed): each.kept() for timed, each in self.durations.items()},
        )


class LegTally:
    """Both spans of one leg, and what the journal must know of them."""

    def __init__(self, leg: str, instrument: Instrument) -> None:
        self._leg, self._instrument = leg, instrument
        self.total, self.run = Tally(), Tally()
        self._last_run: RunRecord | None = None
        self.this_run: RunRecord | None = None
        """Known from the first step on."""
        self._counted_before = 0
        self._is_begun = self._is_counted_anew = False
        self._kept_ns = 0
        self._touch: tuple[bool, bool] | None = None
        self._seen_ns = 0

    # Memory -------------------------------------------------------------------------------------------------

    def remember(self, run: RunRecord | None, kept: TallyRecord | None) -> None:
        """What earlier lives counted; before orders are remembered."""
        self._last_run = run
        self.total = Tally(kept.total if kept else None)

    def remember_order(self, order: OwnOrder) -> None:
        """An order of an earlier life: counted then, unless nothing was counted yet."""
        order.counted = contribution(order)
        if self._last_run is None:
            self.total.counts.update(_counts(order.counted))

    def begin(self, counted_before: int) -> None:
        """Everything is remembered; what comes now belongs to this run."""
        self._counted_before = counted_before

    def take_records(self, now_ns: int) -> list[RunRecord | TallyRecord]:
        """What the journal must keep of a step beside other records of the leg."""
        run, begins = self.begun(now_ns), not self._is_begun
        if not (begins or self._is_counted_anew or now_ns - self._kept_ns >= KEPT_EVERY_NS):
            return []
        self._is_begun, self._is_counted_anew, self._kept_ns = True, False, now_ns
        tally = TallyRecord(leg=self._leg, total=self.total.kept(), run=self.run.kept())
        return [run, tally] if begins else [tally]

    def begun(self, now_ns: int) -> RunRecord:
        """This run, which begins with the first step."""
        before = self._last_run
        self.this_run = self.this_run or RunRecord(
            leg=self._leg,
            number=before.number + 1 if before else 1,
            first_ns=before.first_ns if before else now_ns,
            started_ns=now_ns,
            counted_before=self._counted_before,
            instrument=self._instrument,
        )
        return self.this_run

    # News ---------------------------------------------------------------------------------------------------

    def order_changed(self, order: OwnOrder) -> None:
        """Take in what became of an order; costs nothing to speak of while nothing that counts did."""
        before, now = order.counted, contribution(order)
        if order.was_amended:
            self._amended(order)
        if before == now:
            return
        order.counted = now
        self._time(order, before, now)
        change = Counter(_counts(now))
        change.subtract(_counts(before))
        self._count(change)

    def timed(self, what: Timed, taken_ns: int) -> None:
        """Something took so long."""
        self.total.durations[what].add(taken_ns)
        self.run.durations[what].add(taken_ns)

    def at_touch(self, at_ns: int, touch: tuple[bool, bool] | None) -> None:
        """Whether the own bid and ask lead the market from now on; None while that cannot be known."""
        self.begun(at_ns)
        elapsed_ns = at_ns - self._seen_ns
        if self._touch is not None and elapsed_ns > 0:
            self._led_for(elapsed_ns, *self._touch)
        self._touch, self._seen_ns = touch, max(at_ns, self._seen_ns)

    def _led_for(self, elapsed_ns: int, bid: bool, ask: bool) -> None:
        for counts in (self.total.counts, self.run.counts):
            counts[Count.WATCHED_NS] += elapsed_ns
            counts[Count.BID_AT_TOUCH_NS] += elapsed_ns * bid
            counts[Count.ASK_AT_TOUCH_NS] += elapsed_ns * ask

    def _amended(self, order: OwnOrder) -> None:
        order.was_amended = False
        self._count(Counter({Count.AMENDED: 1}))
        if order.amend_sent_ns is not None:
            self.timed(Timed.AMEND, order.updated_ns - order.amend_sent_ns)

    def _time(self, order: OwnOrder, before: Counted, now: Counted) -> None:
        """How long the venue took; of what was lost on the way nobody knows."""
        if before.state is OrderState.SUBMITTED and now.state is not OrderState.UNRESOLVED:
            self.timed(Timed.SUBMIT, order.updated_ns - order.submitted_ns)
        if now.state is OrderState.CANCELED and order.cancel_sent_ns is not None:
            self.timed(Timed.CANCEL, order.updated_ns - order.cancel_sent_ns)

    def _count(self, change: Counter[Count]) -> None:
        self._is_counted_anew = True
        for counts in (self.total.counts, self.run.counts):
            counts.update(change)


def contribution(order: OwnOrder) -> Counted:
    """What an order adds to the counts, from what its record says alone; one that was found again adds nothing,
    because it was counted when it was placed."""
    if order.request.slot.startswith(ORPHAN_SLOT):
        return NOT_COUNTED
    if order.state in _ENDS:
        return Counted(order.state, order.request.lots, order.filled_lots)
    if order.state is OrderState.REJECTED:
        return Counted(OrderState.REJECTED)
    if order.venue_order_id is not None:
        return Counted(OrderState.ACCEPTED)
    return Counted(OrderState.UNRESOLVED) if order.state is OrderState.UNRESOLVED else NOT_COUNTED


def _counts(counted: Counted) -> dict[Count, int]:
    if counted.state is OrderState.REJECTED:
        return {Count.REJECTED: 1}
    if counted.state is OrderState.ACCEPTED:
        return {Count.PLACED: 1}
    if counted.state in _ENDS:
        return {
            Count.PLACED: 1,
            _ENDS[counted.state]: 1,
            Count.ENDED_LOTS: counted.ended_lots,
            Count.EXECUTED_LOTS: counted.executed_lots,
        }
    return {}
