"""The life of one own order: what each piece of news makes of it.

News comes late, twice and out of order, so nothing here trusts sequence: executed is the larger of the venue's
cumulative figure and the sum of the fills, and an order is done only when it is over at the venue *and* both
figures agree. Until then it is `closing`.

    state            what moves it on
    submitted        accepted, rejected, over, or no answer -> unresolved(submit)
    accepted         our cancel -> cancel pending; over
    cancel pending   over; cancel refused -> accepted; no answer or order unknown -> unresolved(cancel)
    unresolved       seen resting -> accepted; over; never arrived -> rejected
    closing          fills catch up -> filled | canceled | expired
    done             nothing
"""

from __future__ import annotations

from engine.model.account import Fill
from engine.model.order import Operation, OrderReport, OrderRequest, OrderStatus, RejectReason
from engine.trading.records import OrderRecord, OrderState

_FINAL = {
    OrderStatus.FILLED: OrderState.FILLED,
    OrderStatus.CANCELED: OrderState.CANCELED,
    OrderStatus.EXPIRED: OrderState.EXPIRED,
    OrderStatus.REJECTED: OrderState.REJECTED,
}


class OwnOrder:
    """One order of ours. Methods take news and return nothing; `record()` is what the journal keeps."""

    __slots__ = (
        "cancel_sent_ns",
        "dead_after_ns",
        "executed_lots",
        "filled_lots",
        "final",
        "reason",
        "request",
        "state",
        "submitted_ns",
        "unresolved",
        "updated_ns",
        "venue_order_id",
    )

    def __init__(self, request: OrderRequest, *, submitted_ns: int, dead_after_ns: int) -> None:
        self.request = request
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
    def remaining_lots(self) -> int:
        """What may still execute: nothing once it is over at the venue."""
        if self.final is not None or self.is_done:
            return 0
        return self.request.lots - max(self.executed_lots, self.filled_lots)

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
        if report.status.is_open:
            self._rests()
        else:
            self._over(_FINAL[report.status], report.reason)

    def filled(self, fill: Fill, at_ns: int) -> None:
        """One execution, counted once by the caller."""
        self.updated_ns = at_ns
        self.venue_order_id = fill.venue_order_id
        self.filled_lots += fill.lots
        if self.filled_lots >= self.request.lots:
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

    def cancel_sent(self, at_ns: int) -> None:
        self.updated_ns = self.cancel_sent_ns = at_ns
        self.state = OrderState.CANCEL_PENDING

    def cancel_rejected(self, reason: RejectReason, at_ns: int) -> None:
        """Unknown to the venue: it is over, but how is for history to say. Otherwise it still rests."""
        if self.state is not OrderState.CANCEL_PENDING and self.unresolved is not Operation.CANCEL:
            return
        self.updated_ns = at_ns
        if reason is RejectReason.UNKNOWN_ORDER:
            self._lose(Operation.CANCEL, reason.value)
        else:
            self.state, self.unresolved = OrderState.ACCEPTED, None

    def outcome_unknown(self, operation: Operation, why: str, at_ns: int) -> None:
        """Bytes left, no answer (law 2). News that already answered it is stronger."""
        asked = OrderState.SUBMITTED if operation is Operation.SUBMIT else OrderState.CANCEL_PENDING
        if self.state is asked:
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

    def still_rests(self, at_ns: int) -> None:
        """A snapshot taken well after our cancel still has it: the cancel did not work."""
        if self.final is None:
            self.updated_ns = at_ns
            self.state, self.unresolved = OrderState.ACCEPTED, None

    def _rests(self) -> None:
        """Even a rejection gives way to it: what the venue shows resting does rest."""
        if self.final is None and self.state is not OrderState.CANCEL_PENDING:
            self.state, self.unresolved = OrderState.ACCEPTED, None

    def _lose(self, operation: Operation, why: str) -> None:
        self.state, self.unresolved, self.reason = OrderState.UNRESOLVED, operation, why

    def _over(self, final: OrderState, reason: str) -> None:
        if self.final is None:
            self.final, self.reason = final, reason
        if final is OrderState.FILLED:
            self.executed_lots = max(self.executed_lots, self.request.lots)
        self.unresolved = None
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
            reason=self.reason,
        )

    @classmethod
    def remembered(cls, record: OrderRecord) -> OwnOrder:
        """As it stood when the process died. What was under way then has an unknown outcome now."""
        order = cls(record.request, submitted_ns=record.submitted_ns, dead_after_ns=record.dead_after_ns)
        order.state, order.final, order.reason = record.state, record.final, record.reason
        order.venue_order_id, order.updated_ns = record.venue_order_id, record.updated_ns
        order.executed_lots, order.filled_lots = record.executed_lots, record.filled_lots
        if record.state is OrderState.SUBMITTED:
            order._lose(Operation.SUBMIT, "the process ended before the answer")
        elif record.state is OrderState.CANCEL_PENDING:
            order._lose(Operation.CANCEL, "the process ended before the answer")
        elif record.state is OrderState.UNRESOLVED:
            known = record.venue_order_id is not None
            order._lose(Operation.CANCEL if known else Operation.SUBMIT, record.reason)
        return order
