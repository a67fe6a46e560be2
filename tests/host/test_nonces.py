"""Numbers of requests that no two processes of a user may use twice."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.exchanges.interface import Credentials
from engine.exchanges.registry import find_venue
from engine.host.accounts import AccountIdentity
from engine.host.nonces import HostClockNonces, KeyLease
from engine.runtime.sharing import shared_with_host
from engine.runtime.sites import Site
from engine.spec.types import Environment, LegSpec
from tests.fleets import ACCOUNT

TAKE_MANY = """
import sys
from pathlib import Path
from engine.host.nonces import HostClockNonces
take = HostClockNonces(Path(sys.argv[1]))
print([take(5_000_000_000) for _ in range(2000)])
"""
HOLD_AND_DIE = """
import os, sys
from pathlib import Path
from engine.host.nonces import KeyLease
lease = KeyLease(Path(sys.argv[1]))
assert lease.hold() and lease.next_nonce == 7
os.kill(os.getpid(), 9)
"""


def test_processes_that_number_at_one_instant_never_get_the_same_number(tmp_path: Path) -> None:
    programs = [
        subprocess.Popen([sys.executable, "-c", TAKE_MANY, str(tmp_path / "n")], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    numbers = [int(word) for p in programs for word in p.communicate()[0].strip("[]\n").split(",")]
    assert len(numbers) == len(set(numbers)) == 6000


def test_numbers_follow_the_clock_and_never_go_back(tmp_path: Path) -> None:
    take = HostClockNonces(tmp_path / "n")
    assert [take(9_000_000), take(1_000_000), take(20_000_000)] == [9000, 9001, 20000]
    assert HostClockNonces(tmp_path / "n")(0) == 20001


def test_a_wallets_accounts_at_both_of_asters_venues_number_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    keys = find_venue("aster").throwaway_credentials("someone")
    with ExitStack() as held:
        perp, spot, another, paper = (
            shared_with_host(site, fleet_allows=None, way="", held=held).clock_nonces
            for site in (
                site_at("aster", keys),
                site_at("aster-spot", {**keys, "user": keys["user"].upper().replace("0X", "0x")}),
                site_at("aster", find_venue("aster").throwaway_credentials("another")),
                site_at("aster", keys, Environment.TESTNET),
            )
        )
        assert [perp(9_000_000), spot(9_000_000), perp(9_000_000)] == [9000, 9001, 9002]
        assert [another(9_000_000), paper(9_000_000)] == [9000, 9000]


def site_at(venue: str, keys: Credentials, environment: Environment = Environment.MAINNET) -> Site:
    found = find_venue(venue)
    identity = AccountIdentity(venue=venue, environment=environment, key=found.account_identity(keys))
    return Site(
        name="main",
        leg=LegSpec(venue=venue, account="main", market="SOLUSDT"),
        account=replace(ACCOUNT, venue=venue, environment=environment),
        venue=found,
        credentials=keys,
        identity=identity,
    )


def test_a_key_has_one_holder_and_the_next_one_goes_on_where_it_ended(tmp_path: Path) -> None:
    one, two = KeyLease(tmp_path / "k"), KeyLease(tmp_path / "k")
    assert one.hold() and one.next_nonce is None
    assert not two.hold()
    one.release(41)
    assert two.hold() and two.next_nonce == 41


def test_who_waits_for_a_key_has_it_before_the_one_that_lets_go(tmp_path: Path) -> None:
    one, two = KeyLease(tmp_path / "k"), KeyLease(tmp_path / "k")
    assert one.hold() and not one.is_awaited
    assert not two.hold(waits=True) and one.is_awaited
    one.release(41)
    assert not one.hold(waits=True)
    assert two.hold() and two.next_nonce == 41
    assert not one.hold(waits=True) and two.is_awaited
    two.release(42)
    assert not two.hold() and one.hold() and one.next_nonce == 42


def test_who_waits_no_longer_holds_nobody_up(tmp_path: Path) -> None:
    one, two = KeyLease(tmp_path / "k"), KeyLease(tmp_path / "k")
    assert one.hold() and not two.hold(waits=True)
    two.forgo()
    one.release(41)
    assert one.hold()
    one.close()
    one.release(42)
    assert two.hold() and two.next_nonce is None


def test_after_a_doubt_the_next_holder_must_ask_the_venue(tmp_path: Path) -> None:
    one, two = KeyLease(tmp_path / "k"), KeyLease(tmp_path / "k")
    one.hold()
    one.release(None)
    assert two.hold() and two.next_nonce is None


def test_a_holder_that_is_killed_leaves_the_key_free_and_dirty(tmp_path: Path) -> None:
    lease = KeyLease(tmp_path / "k")
    lease.hold()
    lease.release(7)
    subprocess.run([sys.executable, "-c", HOLD_AND_DIE, str(tmp_path / "k")], check=False)
    assert lease.hold() and lease.next_nonce is None
