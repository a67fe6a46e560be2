"""From cells to quotes: what own fills by slot imply for each round trip of a grid. Both grids quote this.

Nothing is remembered here. Fills of a cell's opening slot minus those of its closing slot are what it holds; its
close is armed for exactly that, and it opens again only after a whole round has been closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from engine.model.order import Side
from engine.model.target import LegTarget, Quote
from engine.spec.grid import BoundaryAction, Cell, GridParameters, cell_of
from engine.strategies.interface import LegView

WHOLE = Decimal(1)


def grid_target(
    parameters: GridParameters, cells: Sequence[Cell], seen: LegView, *, reducing: Side | None
) -> LegTarget:
    """Every order a grid's fills imply. Closes on the side `reducing` can only ever reduce."""
    if parameters.boundary_action is BoundaryAction.STOP and _is_outside(parameters, seen):
        return LegTarget(reason="the market is outside the grid's range")
    left = list(_left_over(cells, seen.executed_lots))
    quotes = []
    for cell in (*cells, *left):
        to_open, to_close = _implied(cell, seen.executed_lots)
        if to_open and not any(cell.overlaps(other) for other in left):
            quotes.append(_opening(cell, to_open, parameters))
        if to_close:
            reduce_only = cell.side.opposite is reducing
            quotes.append(_closing(cell, to_close, parameters, reduce_only=reduce_only))
    return LegTarget(quotes=tuple(quotes))


def _implied(cell: Cell, executed: Mapping[str, int]) -> tuple[int, int]:
    """Lots still to open in this round, and lots held and to be closed."""
    opened, closed = executed.get(cell.open_slot, 0), executed.get(cell.close_slot, 0)
    rounds = closed // cell.lots
    return max(0, (rounds + 1) * cell.lots - opened), max(0, opened - closed)


def _left_over(cells: Sequence[Cell], executed: Mapping[str, int]) -> Iterator[Cell]:
    """Cells of an earlier range or size that still hold something: they are closed where they always were."""
    current = {cell.open_slot for cell in cells}
    for slot in executed:
        if slot not in current and (cell := cell_of(slot)) is not None and _implied(cell, executed)[1]:
            yield cell


def _opening(cell: Cell, lots: int, parameters: GridParameters) -> Quote:
    return Quote(
        slot=cell.open_slot, side=cell.side, ticks=cell.open_ticks, lots=lots, post_only=parameters.post_only
    )


def _closing(cell: Cell, lots: int, parameters: GridParameters, *, reduce_only: bool) -> Quote:
    """It grows with every partial fill of the opening order, so it is topped up whatever is missing."""
    return Quote(
        slot=cell.close_slot,
        side=cell.side.opposite,
        ticks=cell.close_ticks,
        lots=lots,
        post_only=parameters.post_only,
        reduce_only=reduce_only,
        refill_below=WHOLE,
    )


def _is_outside(parameters: GridParameters, seen: LegView) -> bool:
    if not seen.bids or not seen.asks:
        return False
    mid = seen.instrument.price(seen.bids[0][0] + seen.asks[0][0]) / 2
    lower, upper = parameters.bounds
    tolerance = parameters.boundary_tolerance_pct / 100
    return not lower * (1 - tolerance) <= mid <= upper * (1 + tolerance)
