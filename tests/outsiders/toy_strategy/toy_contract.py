"""The toy's own tests: the contract suite, inherited. `test_outside_strategy` runs them where it is installed."""

from __future__ import annotations

from engine.testing.strategies import StrategyContract


class TestPegged(StrategyContract):
    kind = "pegged"
    parameters = ({"order_size": "1"}, {"order_size": "0.2", "distance_ticks": 0})
