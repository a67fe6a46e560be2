"""From cells to quotes: what own fills by slot imply for each round trip of a grid. Both grids quote this.

Nothing is remembered here but where the range lies (see `ranges`). Fills of a cell's opening slot minus those of
its closing slot are what it holds; its close is armed for exactly that, and it opens again only after a whole round
has been closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from engine.model.order import Side
from engine.model.target import InventoryTarget, LegTarget, Quote
from engine.spec.grid import BoundaryAction, Cell, Direction, GridParameters, cell_of, cells_of
from engine.strategies.interface import LegView
from engine.strategies.ranges import find_range

WHOLE = Decimal(1)
CLOSING_SLIPPAGE_BPS = Decimal(50)
"""Through the best price, for each attempt to close a grid that the market has left."""


def grid_target(
    parameters: GridParameters, direction: Direction, seen: LegView, *, reducing: Side | None
) -> LegTarget:
    """Every order a grid's fills imply, where the grid lies now. Closes on the side `reducing` only ever reduce."""
    lies = find_range(parameters, seen)
    if lies is None:
        return LegTarget(reason="waiting for a first mid to lay the range around")
    if lies.closed:
        return _closed(lies.memo)
    if lies.is_outside and parameters.boundary_action is BoundaryAction.STOP:
        return LegTarget(reason="the market is outside the grid's range", memo=lies.memo)
    cells = cells_of(lies.parameters, direction, seen.instrument)
    return LegTarget(quotes=tuple(_quotes(parameters, cells, seen, reducing)), memo=lies.memo)


def _closed(memo: str | None) -> LegTarget:
    """Nothing rests, and what own fills left is traded away."""
    return LegTarget(
        inventory=InventoryTarget(lots=0, slippage_bps=CLOSING_SLIPPAGE_BPS, reduce_only=True),
        reason="the market left the grid's range: closed and stopped, until the range is changed",
        memo=memo,
    )


def _quotes(
    parameters: GridParameters, cells: Sequence[Cell], seen: LegView, reducing: Side | None
) -> Iterator[Quote]:
    left = list(_left_over(cells, seen.executed_lots))
    for cell in (*cells, *left):
        to_open, to_close = _implied(cell, seen.executed_lots)
        if to_open and not any(cell.overlaps(other) for other in left):
            yield _opening(cell, to_open, parameters)
        if to_close:
            reduce_only = cell.side.opposite is reducing
            yield _closing(cell, to_close, parameters, reduce_only=reduce_only)


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
