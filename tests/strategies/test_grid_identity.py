"""The books of a grid after a walk over its levels, against the identity; `benchmarks.oracles` runs it in full."""

from __future__ import annotations

from random import Random

import pytest

from benchmarks.oracles.grid_identity import booked_profit, random_walk


@pytest.mark.parametrize("seed", range(12))
def test_a_grid_earns_exactly_what_its_crossings_imply(seed: int) -> None:
    random = Random(seed)
    walk = random_walk(random)
    assert booked_profit(walk, random) == walk.profit
