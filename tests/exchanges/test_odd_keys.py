"""Whatever somebody pastes as a key, the answer is that it is none, and never a crash."""

from __future__ import annotations

from contextlib import suppress

import pytest

from engine.errors import ConfigInvalid
from engine.exchanges.interface import Endpoints
from engine.exchanges.registry import find_venue
from engine.sim.venues import simulated_markets

ODD = (
    " ",
    "abc",
    "0x",
    "0xzz",
    "sécret",
    "a\tb",
    "😀",
    "1" * 5000,
    "-1",
    "0",
    "==",
    "\0",
    "0x" + "f" * 64,
    "0x" + "0" * 64,
)
HERE = Endpoints(rest_url="http://127.0.0.1", ws_url="ws://127.0.0.1")


@pytest.mark.parametrize("name", ["backpack", "aster", "aster-spot", "paradex", "lighter"])
def test_an_odd_key_is_taken_or_refused_in_words(name: str) -> None:
    venue = find_venue(name)
    good = venue.throwaway_credentials("odd")
    for field in good:
        for odd in ODD:
            with suppress(ConfigInvalid):
                venue.account_identity({**good, field: odd})
            with suppress(ConfigInvalid):
                venue.codec(
                    leg="main",
                    instrument=simulated_markets(name)[0],
                    credentials={**good, field: odd},
                    endpoints=HERE,
                )


@pytest.mark.parametrize("odd", ["sécret", "abc", "0x00"])
def test_a_backpack_secret_that_is_none_is_named(odd: str) -> None:
    venue = find_venue("backpack")
    keys = {**venue.throwaway_credentials("odd"), "api_secret": odd}
    with pytest.raises(ConfigInvalid, match="api_secret is not 32 bytes in base64"):
        venue.codec(leg="main", instrument=simulated_markets("backpack")[0], credentials=keys, endpoints=HERE)
