"""When the watch tries again: at every look while it works, later and later while it does not.

Pure: instants come in as arguments. Anything new (a commit, a setting, a word of a person) is tried at once.
"""

from __future__ import annotations

import random

from engine.transport.backoff import Backoff

CEILING_S = 900.0


class Pace:
    """Remembers what was tried last, and not before when it is tried again."""

    def __init__(self, source: random.Random, *, first_s: float) -> None:
        self._backoff = Backoff(source, first_s=first_s, ceiling_s=max(first_s, CEILING_S))
        self._tried: object = None
        self._not_before_s = 0.0
        self.attempts = 0

    def is_due(self, what: object, now_s: float) -> bool:
        """Whether it is time to try this; what differs from the last thing tried begins from the first delay."""
        if what != self._tried:
            self._tried = what
            self._clear()
        return now_s >= self._not_before_s

    def worked(self) -> None:
        self._clear()

    def failed(self, now_s: float) -> float:
        """How long it is left alone."""
        self.attempts += 1
        delay_s = self._backoff.delay_s()
        self._not_before_s = now_s + delay_s
        return delay_s

    def _clear(self) -> None:
        self._backoff.reset()
        self._not_before_s = 0.0
        self.attempts = 0
