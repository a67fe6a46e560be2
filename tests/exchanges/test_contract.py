"""Every registered venue keeps the published contract: the suite that outsiders inherit, and nothing beside it."""

from __future__ import annotations

import json

import pytest

from engine.errors import ConfigInvalid
from engine.exchanges.registry import configured_venue, find_venue, venue_names
from engine.testing.contract import VenueContract
from tests.exchanges import samples

BY_SOCKET = {"lighter": {"order_entry": "websocket"}, "paradex": {"order_entry": "websocket"}}


class _OfSamples(VenueContract):
    def take_samples(self, name: str) -> None:
        instruments = samples.instruments(name)
        self.instruments = tuple(instruments.values())
        self.client_id_bits = samples.CLIENT_ID_BITS[name]
        self.signs_at_random = name in samples.SIGNS_AT_RANDOM
        self.writes_decimals = name not in samples.SPEAKS_INTEGERS
        self.frames = [(instruments[leg].symbol, json.dumps(frame).encode()) for leg, frame in samples.frames(name)]
        self.replies = [
            (instruments[leg].symbol, command, answer) for leg, command, answer in samples.replies(name)
        ]


@pytest.mark.parametrize("name", BY_SOCKET)
class TestEveryVenueThatTakesOrdersOnASocket(_OfSamples):
    @pytest.fixture(autouse=True)
    def under_contract(self, name: str) -> None:
        self.venue = configured_venue(name, BY_SOCKET[name])
        self.take_samples(name)


@pytest.mark.parametrize("name", venue_names())
class TestEveryRegisteredVenue(_OfSamples):
    @pytest.fixture(autouse=True)
    def under_contract(self, name: str) -> None:
        self.venue = find_venue(name)
        self.take_samples(name)

    def test_it_is_found_under_its_own_name(self, name: str) -> None:
        assert self.venue.facts.name == name


def test_an_unknown_venue_is_a_configuration_error_that_names_the_known_ones() -> None:
    with pytest.raises(ConfigInvalid) as caught:
        find_venue("mtgox")
    assert "backpack" in (caught.value.hint or "")
