"""What was refused last, slot by slot, and when to try again: one path for the venue's refusals, the guard's, and
those that come long after the send."""

from __future__ import annotations

from engine.clock import NS_PER_MS, NS_PER_S
from engine.model.order import RejectReason
from engine.model.value import Value
from engine.trading.orders import INVENTORY_SLOT
from engine.trading.waits import wait_ns

SLOTS_KEPT = 1_000
_FIRST_NS = {
    RejectReason.WOULD_CROSS: 20 * NS_PER_MS,
    RejectReason.NOTHING_TO_TAKE: 50 * NS_PER_MS,
    RejectReason.NOT_SENT: 100 * NS_PER_MS,
}
_USUAL_NS = 500 * NS_PER_MS
_LONGEST_NS = 30 * NS_PER_S
_LONGEST_TAKING_NS = 2 * NS_PER_S
"""Orders that hedge, reduce or rebalance are missed for every second they are not there."""
_CALM_NS = 60 * NS_PER_S


class Refusal(Value, frozen=True, kw_only=True):
    reason: str
    not_before_ns: int
    attempts: int


class Refusals:
    """The last refusal of each slot. Waits double with each one, up to half a minute, or to seconds where an order
    takes what the position needs."""

    def __init__(self) -> None:
        self._by_slot: dict[str, Refusal] = {}

    def refused(self, slot: str, reason: RejectReason | None, words: str, now_ns: int) -> bool:
        """Remember a refusal (`reason` None: our own guard); True when its words are new for the slot."""
        words = words or str(reason)
        last = self._by_slot.get(slot)
        if last is not None and now_ns - last.not_before_ns > _CALM_NS:
            last = None
        attempts = 0 if last is None else last.attempts
        first_ns = _USUAL_NS if reason is None else _FIRST_NS.get(reason, _USUAL_NS)
        longest_ns = _LONGEST_TAKING_NS if slot == INVENTORY_SLOT else _LONGEST_NS
        not_before_ns = now_ns + wait_ns(first_ns, attempts, longest_ns)
        if len(self._by_slot) >= SLOTS_KEPT and slot not in self._by_slot:
            self._by_slot.pop(next(iter(self._by_slot)))
        self._by_slot[slot] = Refusal(reason=words, not_before_ns=not_before_ns, attempts=attempts + 1)
        return last is None or last.reason != words

    def allows(self, slot: str, now_ns: int) -> bool:
        last = self._by_slot.get(slot)
        return last is None or now_ns >= last.not_before_ns

    def standing(self, slot: str) -> str:
        """Why the slot's last order was refused; empty once one was taken."""
        last = self._by_slot.get(slot)
        return "" if last is None else last.reason

    def accepted(self, slot: str) -> None:
        """The venue took an order of this slot: whatever was wrong is over."""
        self._by_slot.pop(slot, None)

    def next_ns(self, now_ns: int) -> int | None:
        """When the next waiting slot may try again."""
        return min((r.not_before_ns for r in self._by_slot.values() if r.not_before_ns > now_ns), default=None)
