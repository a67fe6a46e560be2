"""The toy's own tests: the contract suite, inherited. Named so that only a run that asks for it
takes it up, one where the toy is installed.
"""

from __future__ import annotations

from decimal import Decimal

from botctl_toy.venue import VENUE

from engine.model.instrument import Instrument, MarketKind
from engine.testing.contract import VenueContract


class TestToy(VenueContract):
    venue = VENUE
    client_id_bits = 32
    writes_decimals = False
    instruments = (
        Instrument(
            venue="toy",
            symbol="SOL-PERP",
            kind=MarketKind.PERP,
            base="SOL",
            quote="USDC",
            tick_size=Decimal("0.01"),
            lot_size=Decimal("0.1"),
            min_size=Decimal("0.1"),
        ),
    )
