"""Perp grid: long cells below the reference price and short ones above it, or only one of the two.

A grid of one direction closes reduce-only. In a neutral one both sides open too, and a venue would refuse a
reduce-only close beside an opening order of the same side.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.model.order import Side
from engine.model.target import Target
from engine.spec.grid import Direction, GridParameters
from engine.strategies.interface import View
from engine.strategies.rounds import grid_target

_REDUCING = {Direction.NEUTRAL: None, Direction.LONG: Side.SELL, Direction.SHORT: Side.BUY}


class Parameters(GridParameters, frozen=True, kw_only=True):
    """Checked by schemas/strategies/perp_grid.schema.json, where every field is described."""

    direction: Direction


class PerpGrid:
    """One leg, perp. Levels stay where they are, so orders never move."""

    requote_threshold_ticks = 0

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def target(self, view: View) -> Target:
        """Every order the fills so far imply, wherever the market is."""
        direction = self.parameters.direction
        return {
            leg: grid_target(self.parameters, direction, seen, reducing=_REDUCING[direction])
            for leg, seen in view.legs.items()
        }


def build(parameters: Mapping[str, Any]) -> PerpGrid:
    """The strategy from an effective document's parameters."""
    made = msgspec.convert(parameters, Parameters, strict=False)
    if problem := made.problem():
        raise ValueError(problem[1])
    return PerpGrid(made)
