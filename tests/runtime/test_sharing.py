"""What bots of one account share on a host, and what they do not."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from engine.exchanges.lighter.venue import VENUE
from engine.host.accounts import AccountIdentity
from engine.runtime.sharing import shared_with_host
from engine.runtime.sites import Site
from engine.spec.types import Environment, LegSpec
from tests.fleets import ACCOUNT


def site(api_key_index: int) -> Site:
    """A leg on one account of Lighter, with the key of that number."""
    keys = {**VENUE.throwaway_credentials("shared"), "api_key_index": str(api_key_index)}
    return Site(
        name="main",
        leg=LegSpec(venue="lighter", account="alpha", market="ETH"),
        account=ACCOUNT,
        venue=VENUE,
        credentials=keys,
        identity=AccountIdentity(
            venue="lighter", environment=Environment.MAINNET, key=VENUE.account_identity(keys)
        ),
    )


def test_bots_with_keys_of_their_own_number_at_the_same_time_and_those_with_one_key_take_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with ExitStack() as held:
        first, same, other = (
            shared_with_host(site(index), fleet_allows=None, held=held).lease for index in (4, 4, 5)
        )
        assert first.hold() and not same.hold() and other.hold()
        first.release(17)
        assert same.hold() and same.next_nonce == 17
