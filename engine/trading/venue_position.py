"""The venue's figure of a leg's position, and what was filled since: no counter order waits for the next figure."""

from __future__ import annotations


class VenuePosition:
    """`lots` is the newest figure itself; None while it is not known."""

    def __init__(self) -> None:
        self.lots: int | None = None
        self._filled_since_lots = 0
        """Signed lots of fills heard after it."""

    def told(self, lots: int) -> None:
        self.lots, self._filled_since_lots = lots, 0

    def lost(self) -> None:
        """What was told counts no more (law 1)."""
        self.lots = None

    def filled(self, lots: int) -> None:
        """So many signed lots more by own fills."""
        self._filled_since_lots += lots

    def with_fills(self, *, own_lots: int, ignored_lots: int) -> int | None:
        """What is ours by the venue, with the fills heard since. The figure may know some of those already, so an
        own position in between explains it best."""
        if self.lots is None:
            return None
        told = self.lots - ignored_lots
        filled = told + self._filled_since_lots
        low, high = sorted((told, filled))
        return own_lots if low <= own_lots <= high else filled
