"""One market as it stands on a simulated exchange: its book, its tape, its mark price, its sequence number."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from engine.model.order import Side
from engine.sim.ledger import ZERO
from engine.sim.market import Market
from engine.sim.matching import Book, Level
from engine.sim.tape import Tape


@dataclass(slots=True, eq=False)
class VenueMarket:
    """`update_id` numbers the states of the book that were shown to the world."""

    market: Market
    book: Book = field(default_factory=Book)
    update_id: int = 1_000_000
    last_trade_id: int = 0
    mark: Decimal = ZERO
    index: Decimal = ZERO
    funding_rate: Decimal = Decimal("0.0000125")
    tape: Tape = field(init=False)

    def __post_init__(self) -> None:
        self.tape = Tape(self.market.instrument.ticks_below(self.market.start_price))
        self.mark = self.index = self.market.start_price

    @property
    def quote(self) -> str:
        return self.market.instrument.quote

    def in_band(self, ticks: int) -> bool:
        """Whether a limit price is near enough to the last price."""
        band, last = self.market.band, self.tape.last_ticks
        return last * band.min_multiplier <= ticks <= last * band.max_multiplier

    def impact_limit(self, side: Side) -> int:
        """The worst price a market order may reach."""
        best = self.book.best(side.opposite) or self.tape.last_ticks
        band = self.market.band
        return int(best * (band.max_impact_multiplier if side is Side.BUY else band.min_impact_multiplier))

    def advance(self) -> tuple[list[Level], list[Level]] | None:
        """Number the changes since the last call as one update; None when there are none."""
        bids, asks = self.book.take_changes()
        if not bids and not asks:
            return None
        self.update_id += 1
        return bids, asks
