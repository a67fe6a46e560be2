"""Where a grid lies: at the prices its parameters say, or around a price it took from the market.

A range around the first book's mid, a range that followed the market, and a grid that closed itself are the only
things about a grid that its fills do not tell. They go into the leg's memo, which the journal keeps, and count as
long as the range in the parameters is the one they were made for.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from engine.model.value import Value
from engine.spec.grid import BoundaryAction, GridParameters
from engine.strategies.interface import LegView


class Memo(Value, frozen=True, kw_only=True):
    """`made_for` names the range; `around` is the price it was moved to, None for where the parameters put it."""

    made_for: str
    around: Decimal | None = None
    closed: bool = False


class Range(Value, frozen=True, kw_only=True):
    """A grid's parameters with every price known. `memo` is what the leg must remember of it, None for nothing."""

    parameters: GridParameters
    is_outside: bool
    closed: bool
    memo: str | None


_MEMO = msgspec.json.Decoder(Memo)


def find_range(parameters: GridParameters, seen: LegView) -> Range | None:
    """Where the grid lies now; None while it waits for a first mid to lie around."""
    mid = _mid(seen)
    memo = _remembered(parameters, seen.memo)
    if memo.around is None and not parameters.is_placed:
        if mid is None:
            return None
        memo = msgspec.structs.replace(memo, around=mid)
    placed = _placed(parameters, memo)
    outside = mid is not None and _is_outside(placed, mid)
    if outside and parameters.boundary_action is BoundaryAction.RECENTER:
        memo = msgspec.structs.replace(memo, around=mid)
        placed, outside = _placed(parameters, memo), False
    closes = parameters.boundary_action is BoundaryAction.CLOSE_AND_STOP
    memo = msgspec.structs.replace(memo, closed=closes and (memo.closed or outside))
    worth_it = memo.around is not None or memo.closed or bool(seen.memo)
    text = msgspec.json.encode(memo).decode() if worth_it else None
    return Range(parameters=placed, is_outside=outside, closed=memo.closed, memo=text)


def _remembered(parameters: GridParameters, text: str) -> Memo:
    """What was remembered of this very range; what was remembered of another one no longer counts."""
    written = (parameters.lower, parameters.upper, parameters.auto_range_pct, parameters.reference_price)
    made_for = " ".join(str(number) for number in written)
    known = _MEMO.decode(text) if text else None
    return known if known is not None and known.made_for == made_for else Memo(made_for=made_for)


def _placed(parameters: GridParameters, memo: Memo) -> GridParameters:
    return parameters if memo.around is None else parameters.placed_around(memo.around)


def _mid(seen: LegView) -> Decimal | None:
    if not seen.bids or not seen.asks:
        return None
    return seen.instrument.price(seen.bids[0][0] + seen.asks[0][0]) / 2


def _is_outside(parameters: GridParameters, mid: Decimal) -> bool:
    lower, upper = parameters.bounds
    tolerance = parameters.boundary_tolerance_pct / 100
    return not lower * (1 - tolerance) <= mid <= upper * (1 + tolerance)
