"""Which buckets on a host a bot's account shares, and with whom."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.clock import NS_PER_S
from engine.exchanges.registry import configured_venue, find_venue, venue_names
from engine.host.accounts import AccountIdentity
from engine.runtime.sharing import counts_of, shared_with_host
from engine.runtime.sites import Site
from engine.spec.types import Environment, LegSpec
from engine.trading.purse import Purse
from tests.fleets import ACCOUNT
from tests.session.toy import submit

HOUR_NS = 3_600 * NS_PER_S


@pytest.fixture(autouse=True)
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "botctl"


def site(account: str, environment: Environment, venue: str = "aster") -> Site:
    return Site(
        name="main",
        leg=LegSpec(venue=venue, account=account, market="BTCUSDT"),
        account=replace(ACCOUNT, name=account, venue=venue, environment=environment),
        venue=find_venue(venue),
        credentials={},
        identity=AccountIdentity(venue=venue, environment=environment, key=account),
    )


def used(one: Site, another: Site, *, way: str = "", other_way: str = "") -> dict[str, int]:
    """What `another` sees as used after `one` sent five orders."""
    with ExitStack() as held:
        mine = shared_with_host(one, fleet_allows=None, way=way, held=held).scales
        other = shared_with_host(another, fleet_allows=None, way=other_way, held=held).scales
        for _ in range(5):
            mine.spent(submit(), HOUR_NS)
        mine.budget(HOUR_NS)
        other.budget(HOUR_NS)
        return {name: use.used_per_minute for name, use in other.use(HOUR_NS).items()}


def test_accounts_behind_one_address_share_what_the_venue_counts_by_address() -> None:
    ann, bob = (site(name, Environment.MAINNET) for name in ("ann", "bob"))
    assert used(ann, bob) == {"weight": 5, "orders": 0}


def test_users_of_one_account_share_everything() -> None:
    ann = site("ann", Environment.MAINNET)
    assert used(ann, ann) == {"weight": 5, "orders": 5}


def test_another_proxy_is_another_address_but_the_same_account() -> None:
    ann = site("ann", Environment.MAINNET)
    assert used(ann, ann, way="one", other_way="two") == {"weight": 0, "orders": 5}


def test_a_simulated_venue_counts_by_account_alone() -> None:
    ann, bob = (site(name, Environment.SIM) for name in ("ann", "bob"))
    assert used(ann, bob) == {"weight": 0, "orders": 0}


def test_what_lies_on_the_host_names_neither_account_nor_proxy(host: Path) -> None:
    used(site("ann", Environment.MAINNET), site("ann", Environment.MAINNET), way="proxy.example:1")
    places = [str(path.relative_to(host)) for path in host.rglob("budget-*")]
    assert len(places) == 3
    assert not any(word in place for place in places for word in ("ann", "proxy"))


@pytest.mark.parametrize("name", ["backpack", "aster"])
def test_a_fleets_cap_is_one_more_count_of_plain_requests(name: str) -> None:
    facts = find_venue(name).facts
    capped = {one.name: one.per_minute for one in counts_of(facts, 300)}
    own = {one.name: one.per_minute for one in facts.counts}
    assert capped == {**own, "requests": 300}
    assert counts_of(facts, None) == facts.counts


KINDS_OF_ACCOUNT = [*((name, None) for name in venue_names()), ("lighter", {"tier": "premium"})]


@pytest.mark.parametrize(("name", "options"), KINDS_OF_ACCOUNT)
def test_a_new_account_may_soon_ask_and_then_cancel(name: str, options: dict[str, str] | None) -> None:
    """Its buckets begin empty, and what a question weighs in one says nothing of what is left in another."""
    one = replace(site("ann", Environment.SIM, name), venue=configured_venue(name, options))
    with ExitStack() as held:
        scales = shared_with_host(one, fleet_allows=None, way="", held=held).scales
        asked = False
        for second in range(60):
            purse = Purse(scales.budget(HOUR_NS + second * NS_PER_S))
            asked = asked or purse.take_round()
            if asked and purse.take_cancel():
                return
    pytest.fail("asked" if asked else "never asked")


def lighter_site(api_key_index: int) -> Site:
    """A leg on one account of Lighter, with the key of that number."""
    venue = find_venue("lighter")
    keys = {**venue.throwaway_credentials("shared"), "api_key_index": str(api_key_index)}
    return replace(site("ann", Environment.MAINNET, "lighter"), credentials=keys)


def test_bots_with_keys_of_their_own_number_at_the_same_time_and_those_with_one_key_take_turns() -> None:
    with ExitStack() as held:
        first, same, other = (
            shared_with_host(lighter_site(index), fleet_allows=None, way="", held=held).lease for index in (4, 4, 5)
        )
        assert first.hold() and not same.hold() and other.hold()
        first.release(17)
        assert same.hold() and same.next_nonce == 17
