from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import Locked
from engine.host.locks import Holder, acquire, is_free, read_holder, runner_lock_file

FIRST = Holder(pid=os.getpid(), bot="first", workspace="/home/ann/fleet", since_ns=1_790_000_000_000_000_000)
SECOND = Holder(pid=os.getpid(), bot="second", workspace="/home/ann/other", since_ns=0)

HOLD_AND_WAIT = """
import sys
from pathlib import Path
from engine.host.locks import Holder, acquire
lock = acquire(Path(sys.argv[1]), Holder(pid=1, bot="child", workspace="/w", since_ns=0))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_runner_is_refused_and_told_who_holds_the_market(tmp_path: Path) -> None:
    file = runner_lock_file(tmp_path, "SOL_USDC")
    acquire(file, FIRST)
    with pytest.raises(Locked) as refusal:
        acquire(file, SECOND)
    assert f"first already runs on this account and market: process {os.getpid()} of /home/ann/fleet" in str(
        refusal.value
    )
    assert "2026-09-21" in refusal.value.message
    assert refusal.value.hint == "stop it there first: botctl -C /home/ann/fleet stop first"
    assert refusal.value.exit_code == 4


def test_a_refused_runner_leaves_the_holder_s_name_in_place(tmp_path: Path) -> None:
    acquire(tmp_path / "lock", FIRST)
    with pytest.raises(Locked):
        acquire(tmp_path / "lock", SECOND)
    assert read_holder(tmp_path / "lock") == FIRST


def test_a_released_market_can_be_taken_again(tmp_path: Path) -> None:
    acquire(tmp_path / "lock", FIRST).release()
    acquire(tmp_path / "lock", SECOND)
    assert read_holder(tmp_path / "lock") == SECOND


def test_a_lock_dies_with_its_process_even_when_it_is_killed(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD_AND_WAIT, tmp_path / "lock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout and child.stdout.readline() == "held\n"
    assert not is_free(tmp_path / "lock")
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert is_free(tmp_path / "lock")
    acquire(tmp_path / "lock", FIRST)


def test_looking_whether_a_market_is_free_never_keeps_a_runner_out(tmp_path: Path) -> None:
    acquire(tmp_path / "lock", FIRST).release()
    looking = os.open(tmp_path / "lock", os.O_RDONLY)
    assert is_free(tmp_path / "lock")
    acquire(tmp_path / "lock", SECOND)
    assert not is_free(tmp_path / "lock")
    os.close(looking)


def test_markets_and_their_odd_names_have_locks_of_their_own(tmp_path: Path) -> None:
    names = {runner_lock_file(tmp_path, market) for market in ("SOL_USDC", "SOL/USDC", "SOL_USDC_PERP")}
    assert len(names) == 3
    assert all(name.parent == tmp_path for name in names)
