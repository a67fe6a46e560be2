"""What a strategy sees and what it answers. A strategy is a pure function of the view: it keeps no memory, because
everything worth remembering (what filled in which slot, and its own memo) is in the view and survives a restart."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol, runtime_checkable

from engine.model.events import Level
from engine.model.instrument import Instrument, MarketKind
from engine.model.target import Target
from engine.model.value import Value

BPS = 10_000


class LegView(Value, frozen=True, kw_only=True):
    """One leg as its strategy sees it: a whole book, and what own fills made of the account.

    `position_lots` is signed, from own fills; `base_change` and `quote_change` are the exact effect of all own
    fills on both assets, fees included. `executed_lots` sums own fills by base slot, unsigned, since the position
    was last flattened or liquidated. `memo` is the newest that a target of this leg carried. `recent_mids` are
    twice the mid, in ticks, at the last whole seconds, oldest first; they begin anew with the process.
    `funding_rate` is the venue's newest, for its own interval.

    `takes_left` is how many orders that take may be sent now, by request budget and order rate; `take_refused` is
    why the last of them was not taken, empty once one was. `available` is what the account has free by asset; None
    while that is unknown or nobody asks.
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
    takes_left: int = 0
    take_refused: str = ""
    available: Mapping[str, Decimal] | None = None

    @property
    def held_base(self) -> Decimal:
        """What own fills left in base, exactly: on spot, fees taken in base have left too."""
        if self.instrument.kind is MarketKind.SPOT:
            return self.base_change
        return self.instrument.size(self.position_lots)


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


@runtime_checkable
class Patient(Protocol):
    """A strategy whose quotes move no sooner than `requote_interval_ns` after they were put where they are; 0: at
    once. They are taken away at once all the same."""

    requote_interval_ns: int


class HedgeRule(Value, frozen=True, kw_only=True):
    """Which leg's position the other must mirror, and when too much of it is open for too long.

    `max_unhedged` is in base, `escalate_after_s` counts from the moment the open part could have been hedged.
    """

    maker: str
    hedge: str
    slippage_bps: Decimal
    max_unhedged: Decimal
    escalate_after_s: Decimal

    def least_lots(self, hedge: Instrument, bids: tuple[Level, ...]) -> int:
        """The smallest hedge the venue takes, wherever within the slippage it may be priced."""
        return hedge.min_lots(int(bids[0][0] * (1 - self.slippage_bps / BPS)) if bids else 0)


@runtime_checkable
class Hedger(Protocol):
    """A strategy that owes a hedge for its fills. Quoting may end at any time (a pause, a stop, a leg that is not
    ready); what it owes does not, so it can be asked for that alone."""

    hedging: HedgeRule

    def owed(self, view: View) -> Target:
        """The hedge leg's target, without any quotes. The maker leg's book may be old, or missing."""
