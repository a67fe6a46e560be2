"""What a strategy sees and what it answers. A strategy is a pure function of the view: it keeps no memory, because
everything worth remembering (what filled in which slot, and its own memo) is in the view and survives a restart."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from engine.model.events import Level
from engine.model.instrument import Instrument
from engine.model.target import Target
from engine.model.value import Value


class LegView(Value, frozen=True, kw_only=True):
    """One leg as its strategy sees it: a whole book, and what own fills made of the account.

    `position_lots` is signed, from own fills; `base_change` and `quote_change` are the exact effect of all own
    fills on both assets, fees included. `executed_lots` sums own fills by base slot, unsigned, since the position
    was last flattened or liquidated. `memo` is the newest that a target of this leg carried. `recent_mids` are
    twice the mid, in ticks, at the last whole seconds, oldest first; they begin anew with the process.
    `funding_rate` is the venue's newest, for its own interval.
    """

    instrument: Instrument
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    mark: Decimal | None
    position_lots: int
    max_position_lots: int | None
    base_change: Decimal
    quote_change: Decimal
    executed_lots: Mapping[str, int]
    memo: str = ""
    recent_mids: tuple[int, ...] = ()
    funding_rate: Decimal | None = None


class View(Value, frozen=True, kw_only=True):
    """All legs of a bot whose book is whole and whose account is known, at one instant."""

    now_ns: int
    legs: Mapping[str, LegView]


class Strategy(Protocol):
    """Declares a target. Called whenever something changed; called twice with one view, it answers the same.

    `requote_threshold_ticks`: an order this close to its wanted price keeps its place in the queue.
    """

    requote_threshold_ticks: int

    def target(self, view: View) -> Target: ...
