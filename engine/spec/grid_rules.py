"""Why a grid cannot work, said before it starts: rules between its parameters, and against its market's facts.

Pure: `rules` asks, and reports what it hears at the place of the field in question.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from engine.model.instrument import Instrument, plain
from engine.model.order import Side
from engine.spec.complaints import Complaint
from engine.spec.grid import Cell, Direction, GridParameters, Spacing, cells_of
from engine.spec.types import RiskSpec, StrategySpec

_KINDS = ("grid", "perp_grid")
_BPS = 10_000


def shape_complaints(strategy: StrategySpec) -> Iterator[Complaint]:
    """Parameters of a grid that contradict each other."""
    if strategy.kind in _KINDS and (problem := _read(strategy)[0].problem()):
        field, message = problem
        yield Complaint(code="bad-grid", field=("strategy", field), message=message)


def market_complaints(strategy: StrategySpec, risk: RiskSpec, instrument: Instrument) -> Iterator[Complaint]:
    """What a market's facts have against a grid."""
    if strategy.kind not in _KINDS:
        return
    parameters, direction = _read(strategy)
    if parameters.problem() is not None:
        return
    if not parameters.is_placed:
        yield from _losing_anywhere(parameters, instrument)
        return
    cells = cells_of(parameters, direction, instrument)
    if len(parameters.ticks(instrument)) < parameters.levels:
        yield _too_fine(parameters, instrument)
        return
    if not cells:
        yield Complaint(
            code="grid-too-small",
            field=("strategy", "capital"),
            message=f"capital is less than one lot of {plain(instrument.lot_size)} on each level",
        )
        return
    yield from _too_small(cells, parameters, instrument)
    yield from _losing(cells, parameters, instrument)
    yield from _beyond_limits(cells, risk, instrument)


def _read(strategy: StrategySpec) -> tuple[GridParameters, Direction]:
    written = dict(strategy.parameters)
    direction = Direction(written.pop("direction", Direction.NEUTRAL))
    return msgspec.convert(written, GridParameters, strict=False), direction


def _too_fine(parameters: GridParameters, instrument: Instrument) -> Complaint:
    message = f"{parameters.levels} levels do not fit into this range on ticks of {plain(instrument.tick_size)}"
    return Complaint(
        code="grid-too-fine", field=("strategy", "levels"), message=message, hint="fewer levels, or a wider range"
    )


def _too_small(cells: tuple[Cell, ...], parameters: GridParameters, instrument: Instrument) -> Iterator[Complaint]:
    lots, least = cells[0].lots, instrument.min_lots(cells[0].low_ticks)
    if lots >= least:
        return
    field = "order_size" if parameters.capital is None else "capital"
    size, smallest = instrument.size_text(lots), instrument.size_text(least)
    message = f"each order would be {size} {instrument.base}, below the smallest order {smallest}"
    yield Complaint(code="grid-too-small", field=("strategy", field), message=message)


def _losing_anywhere(parameters: GridParameters, instrument: Instrument) -> Iterator[Complaint]:
    """The same for a range that will lie wherever the market is: spacing and fees are shares of the price there."""
    lower, upper = parameters.placed_around(Decimal(1)).bounds
    steps = parameters.levels - 1
    top = lower * (upper / lower) ** (Decimal(steps - 1) / steps)
    if parameters.spacing is Spacing.ARITHMETIC:
        top = upper - (upper - lower) / steps
    earned, paid = upper - top, _fee(parameters, instrument) * (upper + top)
    if earned > paid:
        return
    yield Complaint(
        code="grid-loses",
        field=("strategy", "levels"),
        message="this grid loses money per round trip at your fee: its highest two levels are "
        f"{_percent(earned / upper)} apart, and both fees come to {_percent(paid / upper)}",
        hint="fewer levels, or a wider range",
    )


def _percent(share: Decimal) -> str:
    return f"{plain(round(share * 100, 4))} %"


def _fee(parameters: GridParameters, instrument: Instrument) -> Decimal:
    return instrument.maker_fee if parameters.post_only else instrument.taker_fee


def _losing(cells: tuple[Cell, ...], parameters: GridParameters, instrument: Instrument) -> Iterator[Complaint]:
    """A round trip earns the spacing and pays the fee at both levels."""
    fee = _fee(parameters, instrument)
    worst = min(cells, key=lambda cell: cell.high_ticks - cell.low_ticks - fee * (cell.high_ticks + cell.low_ticks))
    earned = instrument.price(worst.high_ticks - worst.low_ticks)
    paid = fee * instrument.price(worst.high_ticks + worst.low_ticks)
    if earned > paid:
        return
    low, high = instrument.price_text(worst.low_ticks), instrument.price_text(worst.high_ticks)
    yield Complaint(
        code="grid-loses",
        field=("strategy", "levels"),
        message=f"this grid loses money per round trip at your fee: between {low} and {high} it earns "
        f"{plain(earned)} and pays {plain(paid)} for each {instrument.base}",
        hint="fewer levels, or a wider range",
    )


def _beyond_limits(cells: tuple[Cell, ...], risk: RiskSpec, instrument: Instrument) -> Iterator[Complaint]:
    most = max(sum(cell.lots for cell in cells if cell.side is side) for side in Side)
    if risk.max_position is not None and instrument.size(most) > risk.max_position:
        yield Complaint(
            code="grid-beyond-limit",
            field=("risk", "max_position"),
            message=f"the whole grid is {instrument.size_text(most)} {instrument.base}, more than max_position",
            hint="levels beyond the limit are not quoted",
            is_warning=True,
        )
    worth = instrument.price(sum(cell.open_ticks for cell in cells)) * instrument.size(cells[0].lots)
    if risk.max_open_notional_usd is not None and worth > risk.max_open_notional_usd:
        yield Complaint(
            code="grid-beyond-limit",
            field=("risk", "max_open_notional_usd"),
            message=f"the whole grid is worth {plain(worth)}, more than max_open_notional_usd",
            hint="levels beyond the limit are not quoted",
            is_warning=True,
        )
    span = cells[-1].high_ticks - cells[0].low_ticks
    if span * _BPS > risk.price_band_bps * cells[0].low_ticks:
        yield Complaint(
            code="grid-beyond-limit",
            field=("strategy", "levels"),
            message="the range is wider than risk.price_band_bps: far levels rest only once the market comes near",
            hint=f"risk: {{price_band_bps: {min(_BPS, -(-span * _BPS // cells[0].low_ticks))}}}",
            is_warning=True,
        )
