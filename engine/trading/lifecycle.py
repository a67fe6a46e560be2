"""The life of one own order: what each piece of news makes of it.

News comes late, twice and out of order, so nothing here trusts sequence: executed is the larger of the venue's
cumulative figure and the sum of the fills, and an order is done only when it is over at the venue *and* both
figures agree. Until then it is `closing`.

    state            what moves it on
    submitted        accepted, rejected, over, or no answer -> unresolved(submit)
    accepted         our cancel -> cancel pending; our amend -> amend pending; over
    amend pending    done, or refused -> accepted; no answer -> unresolved(amend); order unknown ->
                     unresolved(cancel); over
    cancel pending   over; cancel refused -> accepted; no answer or order unknown -> unresolved(cancel)
    unresolved       seen resting -> accepted; over; never arrived -> rejected; gone -> canceled
      of an amend    seen with the new terms, or resting when it can no longer arrive -> accepted, with the terms
                     seen; our cancel -> cancel pending; over
    closing          fills catch up -> filled | canceled | expired
    done             nothing

While it is not known whether an amend was carried out, the order counts with the worse of both terms, whatever
else happens to it.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from engine.model.account import Fill
from engine.model.order import Operation, OrderReport, OrderRequest, OrderStatus, RejectReason
from engine.trading.records import OrderRecord, OrderState

_FINAL = {
    OrderStatus.FILLED: OrderState.FILLED,
    OrderStatus.CANCELED: OrderState.CANCELED,
    OrderStatus.EXPIRED: OrderState.EXPIRED,
    OrderStatus.REJECTED: OrderState.REJECTED,
}
_PENDING = {
    Operation.SUBMIT: OrderState.SUBMITTED,
    Operation.AMEND: OrderState.AMEND_PENDING,
    Operation.CANCEL: OrderState.CANCEL_PENDING,
}


class Counted(NamedTuple):
    """What statistics (`tally`) have counted of an order: where it had got to, and when over, its lots."""

    state: OrderState
    ended_lots: int = 0
    executed_lots: int = 0


NOT_COUNTED = Counted(OrderState.SUBMITTED)


class OwnOrder:
    """One order of ours. Methods take news and return nothing; `record()` is what the journal keeps."""

    __slots__ = (
        "amend_sent_ns",
        "amended",
        "cancel_sent_ns",
        "counted",
        "dead_after_ns",
        "executed_lots",
        "filled_lots",
        "final",
        "reason",
        "reported_ns",
        "request",
        "state",
        "submitted_ns",
        "unresolved",
        "updated_ns",
        "venue_order_id",
        "was_amended",
    )

    def __init__(self, request: OrderRequest, *, submitted_ns: int, dead_after_ns: int) -> None:
        self.request = request
        """The terms it has for certain, or had before an amend whose outcome is not known."""
        self.amended: OrderRequest | None = None
        """The terms it has then, if that amend was carried out."""
        self.reported_ns = 0
        self.state = OrderState.SUBMITTED
        self.unresolved: Operation | None = None
        self.venue_order_id: str | None = None
        self.executed_lots = 0
        self.filled_lots = 0
        self.submitted_ns = submitted_ns
        self.dead_after_ns = dead_after_ns
        self.updated_ns = submitted_ns
        self.cancel_sent_ns: int | None = None
        """Of the last cancel in this life; other news moves `updated_ns`, and must not hide that it failed."""
        self.amend_sent_ns: int | None = None
        self.was_amended = False
        """An amend was carried out, and statistics have not counted it yet."""
        self.counted = NOT_COUNTED
        self.final: OrderState | None = None
        self.reason = ""

    # What it is ---------------------------------------------------------------------------------------------

    @property
    def is_done(self) -> bool:
        return self.state.is_done

    @property
    def is_settled(self) -> bool:
        """Resting at the venue with nothing under way: the only state in which the diff may touch it."""
        return self.state is OrderState.ACCEPTED

    @property
    def may_be_canceled(self) -> bool:
        """Also while nobody knows whether an amend was carried out: either way it is then gone."""
        return self.is_settled or (
            self.state is OrderState.UNRESOLVED and self.unresolved is Operation.AMEND and self.final is None
        )

    @property
    def put_ns(self) -> int:
        """When it was last sent to where it rests."""
        return self.amend_sent_ns or self.submitted_ns

    @property
    def terms(self) -> tuple[OrderRequest, ...]:
        """Every price and size it may have at the venue."""
        return (self.request,) if self.amended is None else (self.request, self.amended)

    @property
    def most_ticks(self) -> int:
        return max(terms.ticks for terms in self.terms)

    @property
    def remaining_lots(self) -> int:
        """What may still execute, by the larger of its sizes: nothing once it is over at the venue."""
        if self.final is not None or self.is_done:
            return 0
        most_lots = self.request.lots if self.amended is None else max(self.request.lots, self.amended.lots)
        return max(0, most_lots - max(self.executed_lots, self.filled_lots))

    @property
    def lots_by_ticks(self) -> dict[int, int]:
        """By price, what may rest there."""
        if not self.remaining_lots:
            return {}
        executed = max(self.executed_lots, self.filled_lots)
        smallest_first = sorted(self.terms, key=lambda terms: terms.lots)
        return {terms.ticks: terms.lots - executed for terms in smallest_first if terms.lots > executed}

    @property
    def at_risk_lots(self) -> int:
        """What the position may still change by: what may execute, and what did while its fill is on its way."""
        return self.remaining_lots + (0 if self.is_done else max(0, self.executed_lots - self.filled_lots))

    # News ---------------------------------------------------------------------------------------------------

    def reported(self, report: OrderReport, at_ns: int) -> None:
        """The venue says how it stands, on a stream, in a reply or in a query."""
        self.updated_ns = at_ns
        self.venue_order_id = report.venue_order_id
        self.executed_lots = max(self.executed_lots, report.executed_lots)
        if report.updated_ns > self.reported_ns:
            self._shown(report)
        self.reported_ns = max(self.reported_ns, report.updated_ns)
        if report.status.is_open:
            self._rests()
        else:
            self._over(_FINAL[report.status], report.reason)

    def filled(self, fill: Fill, at_ns: int) -> None:
        """One execution, counted once by the caller."""
        self.updated_ns = at_ns
        self.venue_order_id = fill.venue_order_id
        self.filled_lots += fill.lots
        if self.filled_lots >= max(terms.lots for terms in self.terms):
            self._over(OrderState.FILLED, "")
        elif self.final is not None:
            self._settle()
        else:
            self._rests()

    def submit_rejected(self, words: str, at_ns: int) -> None:
        """It does not rest. News that it did rest, if any came, is stronger."""
        if self.state is OrderState.SUBMITTED or self.unresolved is Operation.SUBMIT:
            self.updated_ns = at_ns
            self.state, self.unresolved, self.reason = OrderState.REJECTED, None, words

    def not_after(self, at_ns: int, *, dead_after_ns: int) -> None:
        """A clock that was set back between two lives dates what we remember into the future, where every deadline
        would wait for it. It was sent before now, whatever the record says."""
        self.submitted_ns, self.updated_ns = min(self.submitted_ns, at_ns), min(self.updated_ns, at_ns)
        self.dead_after_ns = min(self.dead_after_ns, dead_after_ns)

    def amend_sent(self, terms: OrderRequest, at_ns: int, *, dead_after_ns: int) -> None:
        self.updated_ns, self.dead_after_ns = at_ns, dead_after_ns
        self.amend_sent_ns = at_ns
        self.state, self.unresolved, self.amended = OrderState.AMEND_PENDING, None, terms

    def amend_done(self, report: OrderReport, at_ns: int) -> None:
        """The answer to an amend of ours. One that the stream has overtaken may be that of an earlier amend to the
        same terms, which proves nothing of the one under way; a venue that tells no date is taken at its word."""
        if not report.updated_ns:
            self._shown(report)
        self.reported(report, at_ns)

    def amend_rejected(self, reason: RejectReason, at_ns: int) -> None:
        """It stays as it was; or it is over, and how is for history to say."""
        if self.amended is None or self.final is not None:
            return
        self.updated_ns, self.amended = at_ns, None
        if reason is RejectReason.UNKNOWN_ORDER:
            self._lose(Operation.CANCEL, reason.value)
        elif self.state is OrderState.AMEND_PENDING or self.unresolved is Operation.AMEND:
            self.state, self.unresolved = OrderState.ACCEPTED, None

    def terms_proved(self, report: OrderReport, at_ns: int) -> None:
        """A snapshot from when our amend could no longer arrive: the terms it shows are those it has."""
        self.updated_ns = at_ns
        self._amended_to(replace(self.request, ticks=report.ticks, lots=report.lots))

    def cancel_sent(self, at_ns: int) -> None:
        self.updated_ns = self.cancel_sent_ns = at_ns
        self.state, self.unresolved = OrderState.CANCEL_PENDING, None

    def cancel_rejected(self, reason: RejectReason, at_ns: int) -> None:
        """Unknown to the venue: it is over, but how is for history to say. Otherwise it still rests."""
        if self.state is not OrderState.CANCEL_PENDING and self.unresolved is not Operation.CANCEL:
            return
        self.updated_ns = at_ns
        if reason is RejectReason.UNKNOWN_ORDER:
            self._lose(Operation.CANCEL, reason.value)
        else:
            self._uncanceled()

    def outcome_unknown(self, operation: Operation, why: str, at_ns: int) -> None:
        """Bytes left, no answer (law 2). News that already answered it is stronger."""
        if self.state is _PENDING[operation]:
            self.updated_ns = at_ns
            self._lose(operation, why)

    def missing(self, why: str, at_ns: int) -> None:
        """A snapshot that should have it does not: its fate must be found out."""
        self.updated_ns = at_ns
        self._lose(self.unresolved or Operation.CANCEL, why)

    def never_arrived(self, at_ns: int) -> None:
        """Past dead-after and in no list of the venue: it was never there."""
        self.updated_ns = at_ns
        self.state, self.unresolved, self.reason = OrderState.REJECTED, None, "never arrived"

    def gone(self, at_ns: int) -> None:
        """It rests no more, and how it ended the venue does not tell any more: nothing that we have not counted."""
        self.updated_ns = at_ns
        self._over(OrderState.CANCELED, "ended before the venue's history begins")

    def still_rests(self, at_ns: int) -> None:
        """A snapshot taken well after our cancel still has it: the cancel did not work."""
        if self.final is None:
            self.updated_ns = at_ns
            self._uncanceled()

    def _rests(self) -> None:
        """Even a rejection gives way to it: what the venue shows resting does rest."""
        if self.final is None and self.state not in (OrderState.CANCEL_PENDING, OrderState.AMEND_PENDING):
            self._uncanceled()

    def _uncanceled(self) -> None:
        """It rests, with the terms we know, or with one of two."""
        self.state, self.unresolved = OrderState.ACCEPTED, None
        if self.amended is not None:
            self._lose(Operation.AMEND, "it rests, and may or may not be amended")

    def _shown(self, report: OrderReport) -> None:
        """Only the new terms prove anything: the old ones may have been reported before our amend came."""
        amended = self.amended
        if amended is not None and (report.ticks, report.lots) == (amended.ticks, amended.lots):
            self._amended_to(amended)

    def _amended_to(self, terms: OrderRequest) -> None:
        self.was_amended |= terms != self.request
        self.request, self.amended = terms, None
        if self.state is OrderState.AMEND_PENDING or self.unresolved is Operation.AMEND:
            self.state, self.unresolved = OrderState.ACCEPTED, None

    def _lose(self, operation: Operation, why: str) -> None:
        self.state, self.unresolved, self.reason = OrderState.UNRESOLVED, operation, why

    def _over(self, final: OrderState, reason: str) -> None:
        if self.final is None:
            self.final, self.reason = final, reason
        if final is OrderState.FILLED:
            self.executed_lots = max(self.executed_lots, min(terms.lots for terms in self.terms))
        self.unresolved = self.amended = None
        self._settle()

    def _settle(self) -> None:
        assert self.final is not None
        agree = self.filled_lots >= self.executed_lots
        self.state = self.final if agree else OrderState.CLOSING

    # Memory -------------------------------------------------------------------------------------------------

    def record(self) -> OrderRecord:
        return OrderRecord(
            request=self.request,
            state=self.state,
            venue_order_id=self.venue_order_id,
            executed_lots=self.executed_lots,
            filled_lots=self.filled_lots,
            submitted_ns=self.submitted_ns,
            dead_after_ns=self.dead_after_ns,
            updated_ns=self.updated_ns,
            final=self.final,
            amended=self.amended,
            reported_ns=self.reported_ns,
            reason=self.reason,
        )

    @classmethod
    def remembered(cls, record: OrderRecord) -> OwnOrder:
        """As it stood when the process died. What was under way then has an unknown outcome now."""
        order = cls(record.request, submitted_ns=record.submitted_ns, dead_after_ns=record.dead_after_ns)
        order.state, order.final, order.reason = record.state, record.final, record.reason
        order.venue_order_id, order.updated_ns = record.venue_order_id, record.updated_ns
        order.executed_lots, order.filled_lots = record.executed_lots, record.filled_lots
        order.amended, order.reported_ns = record.amended, record.reported_ns
        if record.state is OrderState.SUBMITTED:
            order._lose(Operation.SUBMIT, "the process ended before the answer")
        elif record.state is OrderState.AMEND_PENDING:
            order._lose(Operation.AMEND, "the process ended before the answer")
        elif record.state is OrderState.CANCEL_PENDING:
            order._lose(Operation.CANCEL, "the process ended before the answer")
        elif record.state is OrderState.UNRESOLVED:
            known = Operation.CANCEL if record.amended is None else Operation.AMEND
            order._lose(Operation.SUBMIT if record.venue_order_id is None else known, record.reason)
        return order
