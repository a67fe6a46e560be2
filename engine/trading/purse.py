"""What one step may still send: pacing is pulled, so nothing stale ever queues behind a rate limit."""

from __future__ import annotations

from engine.trading.records import Budget


class Purse:
    """A step's budget while it is being spent. Every request draws on the same allowance; the less urgent kinds
    just have to leave a reserve."""

    def __init__(self, budget: Budget) -> None:
        self._reduce, self._cancel, self._place = budget.reduce, budget.cancel, budget.place
        self._rounds, self._round_size = budget.rounds, budget.round_size
        self._changes = budget.changes
        self.is_waiting = False
        """Whether an order or cancel has to wait for others to be answered, although the limits allow it."""

    @property
    def can_place(self) -> bool:
        return self._place > 0

    @property
    def takes(self) -> int:
        """How many of the most urgent requests there is room for."""
        return max(0, self._reduce)

    def take_reduce(self) -> bool:
        return self._take(self._reduce)

    def take_cancel(self) -> bool:
        return self._take(self._cancel)

    def take_round(self) -> bool:
        """A round of questions: they can wait no longer than a cancel. Whether one fits into the venue's counts is
        for `rounds` to say: where questions weigh more than orders, it is dearer than all that may leave."""
        if self._rounds < 1 or self._cancel < 1:
            return False
        self._rounds -= 1
        self._spend(self._round_size)
        return True

    def take_place(self) -> bool:
        return self._take(self._place)

    def _take(self, allowance: int) -> bool:
        if allowance < 1:
            return False
        if self._changes < 1:
            self.is_waiting = True
            return False
        self._changes -= 1
        self._spend(1)
        return True

    def _spend(self, requests: int) -> None:
        self._reduce -= requests
        self._cancel -= requests
        self._place -= requests
