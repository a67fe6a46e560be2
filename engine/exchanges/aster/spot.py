"""Aster's spot API as the registry finds it."""

from __future__ import annotations

from engine.exchanges.aster.venue import Aster
from engine.exchanges.interface import Venue
from engine.model.instrument import MarketKind

VENUE: Venue = Aster(MarketKind.SPOT)
