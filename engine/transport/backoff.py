"""How long to wait before trying again. Pure: given its randomness, it reads no clock. Used by sessions."""

from __future__ import annotations

import random


class Backoff:
    """Exponential with full jitter: any delay up to a bound that doubles, so that a fleet does not return as one.

    An attempt that held for `healthy_s` counts as cured, and the bound starts from `first_s` again.
    """

    def __init__(
        self, source: random.Random, *, first_s: float = 0.5, ceiling_s: float = 15.0, healthy_s: float = 30.0
    ) -> None:
        self._random = source
        self._first_s = first_s
        self._ceiling_s = ceiling_s
        self._healthy_s = healthy_s
        self._bound_s = first_s

    def delay_s(self, *, held_s: float = 0.0) -> float:
        """The wait after an attempt that failed, or broke after it had held for `held_s`."""
        if held_s >= self._healthy_s:
            self._bound_s = self._first_s
        bound_s, self._bound_s = self._bound_s, min(self._ceiling_s, self._bound_s * 2)
        return self._random.uniform(0.0, bound_s)

    def reset(self) -> None:
        """It worked: the next failure is a first one."""
        self._bound_s = self._first_s
