"""The suite that packages from outside inherit, held against every venue of our own."""

from __future__ import annotations

import pytest

from engine.exchanges.registry import find_venue, venue_names
from engine.testing.contract import VenueContract
from tests.exchanges import samples

PROMISES = [name for name in dir(VenueContract) if name.startswith("test_")]


@pytest.mark.parametrize("name", venue_names())
@pytest.mark.parametrize("promise", PROMISES)
def test_every_venue_keeps_every_promise(name: str, promise: str) -> None:
    class Suite(VenueContract):
        venue = find_venue(name)
        instruments = tuple(samples.instruments(name).values())
        client_id_bits = samples.CLIENT_ID_BITS[name]

    getattr(Suite(), promise)()
