"""Spot grid: buys below, sells above, and each fill arms the counter order one level on.

Cells below the reference price open with a buy, those above it with a sale of base the account already holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.model.target import Target
from engine.spec.grid import Direction, GridParameters
from engine.strategies.interface import View
from engine.strategies.rounds import grid_target


class Parameters(GridParameters, frozen=True, kw_only=True):
    """Checked by schemas/strategies/grid.schema.json, where every field is described."""


class Grid:
    """One leg, spot. Levels stay where they are, so orders never move."""

    requote_threshold_ticks = 0

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def target(self, view: View) -> Target:
        """Every order the fills so far imply, wherever the market is."""
        return {
            leg: grid_target(self.parameters, Direction.NEUTRAL, seen, reducing=None)
            for leg, seen in view.legs.items()
        }


def build(parameters: Mapping[str, Any]) -> Grid:
    """The strategy from an effective document's parameters."""
    made = msgspec.convert(parameters, Parameters, strict=False)
    if problem := made.problem():
        raise ValueError(problem[1])
    return Grid(made)
