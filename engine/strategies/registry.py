"""Finds a strategy by kind and makes one from checked parameters; imports only the one that is needed.

Outside packages register under the entry point group `botctl.strategies`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from engine.errors import ConfigInvalid
from engine.spec.types import StrategySpec
from engine.strategies.interface import Strategy

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

BUILT_IN = {
    "grid": "engine.strategies.grid",
    "maker_taker_hedge": "engine.strategies.maker_taker_hedge",
    "market_maker": "engine.strategies.market_maker",
    "perp_grid": "engine.strategies.perp_grid",
    "perp_market_maker": "engine.strategies.perp_market_maker",
}

Factory = Callable[[Mapping[str, Any]], Strategy]
"""A strategy module's `build(parameters)`: raises ValueError or msgspec.ValidationError on wrong ones."""


def strategy_kinds() -> tuple[str, ...]:
    """All kinds that can be named in a bot, built in and installed."""
    outside = (entry.name for entry in _outside())
    return tuple(sorted({*BUILT_IN, *outside}))


def build_strategy(spec: StrategySpec) -> Strategy:
    """The strategy a spec declares; ConfigInvalid when its kind or parameters are unknown."""
    try:
        return _factory(spec.kind)(spec.parameters)
    except ValueError as wrong:
        raise ConfigInvalid(f"strategy {spec.kind}: {wrong}") from wrong


def _factory(kind: str) -> Factory:
    if kind in BUILT_IN:
        return cast(Factory, import_module(BUILT_IN[kind]).build)
    for entry in _outside():
        if entry.name == kind:
            return cast(Factory, entry.load().build)
    raise ConfigInvalid(f"unknown strategy {kind!r}", hint=f"known strategies: {', '.join(strategy_kinds())}")


def _outside() -> EntryPoints:
    """Imported here, because reading package metadata costs an engine's start a tenth and most need none."""
    from importlib.metadata import entry_points

    return entry_points(group="botctl.strategies")
