"""Funding of one leg: when the venue is asked what was paid, and how much of every payment is the bot's own.

The venue's history is the truth: it names each payment, so what is told twice, or after a restart, counts once.
Streams and the mark price only say that it is time to ask. A question that fails counts nothing (law 1), is
repeated, and is said; trading goes on, because a payment that is late is not a position that is unknown.
"""

from __future__ import annotations

from collections import OrderedDict
from decimal import ROUND_HALF_EVEN, Decimal

from engine.clock import NS_PER_S
from engine.model.account import FundingPayment
from engine.model.commands import QueryFunding
from engine.model.events import FundingReported, QueryFailed
from engine.trading.accounting import Accounting
from engine.trading.records import FundingRecord
from engine.trading.waits import wait_ns

STEADY_NS = 300 * NS_PER_S
"""The question is repeated at least this often."""
SOON_NS = 2 * NS_PER_S
"""What was announced may take a moment to be in the venue's history."""
GAP_NS = 3 * NS_PER_S
"""However much is announced, questions keep this distance."""
FIRST_RETRY_NS = 2 * NS_PER_S
LAST_RETRY_NS = 60 * NS_PER_S
ANSWER_LIMIT_NS = 30 * NS_PER_S
DOUBT_NS = 30 * NS_PER_S
"""A position that own fills do not explain may only be one of which the venue has told too early or too late."""
OVERLAP_NS = 24 * 3_600 * NS_PER_S
"""Payments that venues write down late are found this long after later ones."""
SEEN_KEPT = 5_000
"""More than a page of any venue holds, or a day has payments."""
GRAIN = Decimal("1e-12")
NOT_ASKED = "not asked yet"
NOT_TOLD = "the venue's package does not tell what was paid"
IN_DOUBT = "whose the position was is not clear yet"
LOST = "the venue does not tell as far back as payments were missed"


class Funding:
    """One leg's payments."""

    def __init__(self, leg: str, books: Accounting, *, is_paid: bool, is_told: bool) -> None:
        """`is_paid`: whether the market has funding at all; `is_told`: whether the venue can be asked for it."""
        self._leg, self._books = leg, books
        self._is_paid, self._is_told = is_paid, is_told
        self._why_not = NOT_ASKED
        self._clock_ns: int | None = None
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._newest_ns = 0
        self._due_ns = 0
        self._soon_ns: int | None = None
        self._asked_ns = self._announced_ns = 0
        self._retries = 0
        self._in_doubt_since_ns: int | None = None

    @property
    def why_not(self) -> str:
        """Why payments may be missing from the books; empty while none can be."""
        if not self._is_paid or self._books.first_fill_ns is None:
            return ""
        return self._why_not if self._is_told else NOT_TOLD

    # When to ask --------------------------------------------------------------------------------------------

    @property
    def due_ns(self) -> int | None:
        """When the next question is due; None while nothing can have been paid to the bot."""
        if not (self._is_paid and self._is_told) or self._books.first_fill_ns is None:
            return None
        return self._due_ns if self._soon_ns is None else min(self._due_ns, self._soon_ns)

    def is_due(self, now_ns: int) -> bool:
        return self.due_ns is not None and now_ns >= self.due_ns

    def want(self, now_ns: int) -> None:
        """Ask at once: nothing was heard for a while."""
        self._due_ns, self._soon_ns, self._retries = now_ns, None, 0

    def announced(self, now_ns: int) -> None:
        """Something was paid."""
        self._announced_ns = now_ns
        if self._soon_ns is None:
            self._soon_ns = max(now_ns + SOON_NS, self._asked_ns + GAP_NS)

    def clock_told(self, funding_ns: int | None, now_ns: int) -> None:
        """What the mark price says of the venue's funding clock, if anything: a change means a payment."""
        if funding_ns is None:
            return
        if self._clock_ns is not None and funding_ns != self._clock_ns:
            self.announced(now_ns)
        self._clock_ns = funding_ns

    def ask(self, now_ns: int) -> QueryFunding:
        """The question, from the newest known payment back, or from the first own fill on."""
        too_early = now_ns - self._announced_ns < SOON_NS
        self._due_ns, self._soon_ns = now_ns + ANSWER_LIMIT_NS, now_ns + GAP_NS if too_early else None
        self._asked_ns = now_ns
        return QueryFunding(leg=self._leg, since_ns=self.since_ns)

    @property
    def since_ns(self) -> int:
        first_ns = self._books.first_fill_ns or 0
        return max(first_ns, self._newest_ns - OVERLAP_NS)

    def failed(self, event: QueryFailed) -> None:
        """No answer is not an answer without payments."""
        self._why_not = event.why
        self._due_ns = event.at_ns + wait_ns(FIRST_RETRY_NS, self._retries, LAST_RETRY_NS)
        self._retries += 1

    # What was paid ------------------------------------------------------------------------------------------

    def take(self, event: FundingReported, foreign_lots: int) -> list[FundingRecord]:
        """Count the payments not yet counted; gives what the journal must keep of them.

        `foreign_lots` is the part of the venue's position that own fills do not explain. Until it has stood for a
        while nothing is counted, and the question is repeated: what is counted is counted for good.
        """
        if self._is_in_doubt(foreign_lots, event.at_ns):
            self._due_ns, self._why_not = event.at_ns + GAP_NS, IN_DOUBT
            return []
        self._due_ns, self._retries = event.at_ns + STEADY_NS, 0
        self._why_not = LOST if event.since_ns > max(self.since_ns, self._newest_ns) else ""
        oldest_first = sorted(event.payments, key=lambda payment: payment.at_ns)
        return [self._count(payment, foreign_lots) for payment in oldest_first if self._is_new(payment)]

    def _is_in_doubt(self, foreign_lots: int, now_ns: int) -> bool:
        if not foreign_lots:
            self._in_doubt_since_ns = None
            return False
        self._in_doubt_since_ns = self._in_doubt_since_ns or now_ns
        return now_ns - self._in_doubt_since_ns < DOUBT_NS

    def remember(self, record: FundingRecord) -> None:
        """Count a payment that the journal gave back."""
        if self._is_new(record.payment):
            self._book(record)

    def _is_new(self, payment: FundingPayment) -> bool:
        """Not nothing, not seen, and not paid before the bot had ever traded."""
        first_ns = self._books.first_fill_ns
        is_ours = first_ns is not None and payment.at_ns >= first_ns
        return bool(payment.amount) and is_ours and payment.payment_id not in self._seen

    def _count(self, payment: FundingPayment, foreign_lots: int) -> FundingRecord:
        own = own_part(payment.amount, self._books.position_lots, foreign_lots)
        record = FundingRecord(leg=self._leg, payment=payment, own=own, after_fills=self._books.fills)
        self._book(record)
        return record

    def _book(self, record: FundingRecord) -> None:
        payment = record.payment
        self._seen[payment.payment_id] = None
        if len(self._seen) > SEEN_KEPT:
            self._seen.popitem(last=False)
        self._newest_ns = max(self._newest_ns, payment.at_ns)
        self._books.add_funding(record.own, payment.at_ns)


def own_part(amount: Decimal, own_lots: int, foreign_lots: int) -> Decimal:
    """The bot's part of what the account was paid: all of it, unless a part of the position is not explained by own
    fills. Then as much as is own, by the figures of now: venues do not tell on what position they paid."""
    whole_lots = own_lots + foreign_lots
    if not foreign_lots or not whole_lots:
        return amount
    return (amount * own_lots / whole_lots).quantize(GRAIN, ROUND_HALF_EVEN)
