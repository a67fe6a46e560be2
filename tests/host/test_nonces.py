"""Numbers of requests that no two processes of a user may use twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from engine.host.nonces import HostClockNonces, KeyLease

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


def test_a_key_has_one_holder_and_the_next_one_goes_on_where_it_ended(tmp_path: Path) -> None:
    one, two = KeyLease(tmp_path / "k"), KeyLease(tmp_path / "k")
    assert one.hold() and one.next_nonce is None
    assert not two.hold()
    one.release(41)
    assert two.hold() and two.next_nonce == 41


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
