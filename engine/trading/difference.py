"""What of the venue's position on a leg the bot's own fills do not explain."""

from __future__ import annotations

from decimal import Decimal

from engine.model.account import Position
from engine.trading.accounting import Accounting

UNEXPLAINED = "the venue's position is not explained by own fills"


class Difference:
    """Between the venue's figure and own books. `lots` is what nobody has explained: it waits for a person, and
    until then nothing is added. `ignored_lots` is what a person said is not the bot's."""

    def __init__(self) -> None:
        self.lots = 0
        self.ignored_lots = 0
        self.entry_price: Decimal | None = None
        """The venue's, of its whole position."""
        self._seen: tuple[int, int] | None = None

    @property
    def foreign_lots(self) -> int:
        """All of the venue's position that is not in own books."""
        return self.lots + self.ignored_lots

    def look(self, position: Position, books: Accounting, *, may_have_moved: bool) -> bool:
        """Compare with a figure that was asked for; True when something is found unexplained that was not before.

        It takes two figures with no fill between, or one while no order of ours can have moved anything
        (`may_have_moved`): a first start asks before it trades. Once found it stays until the figures agree: fills
        move both alike and explain nothing.
        """
        missing = position.lots - self.ignored_lots - books.position_lots
        seen = (missing, books.fills)
        is_certain = self.lots or seen == self._seen or not may_have_moved
        self._seen = seen
        was, self.lots = self.lots, missing if is_certain else 0
        return bool(self.lots and not was)

    def settled(self) -> None:
        """A person said what it is."""
        self.lots, self._seen = 0, None
