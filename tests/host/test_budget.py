"""One account's request budget, drawn on by many processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.clock import NS_PER_MS, NS_PER_S
from engine.host.budget import LEASE_NS, HostPace
from engine.transport.pacing import NS_PER_MINUTE

HOUR_NS = 60 * NS_PER_MINUTE


def pace(directory: Path, per_minute: int = 600, boot: str = "boot") -> HostPace:
    return HostPace(directory / "budget", per_minute, boot_id=boot)


def filled(directory: Path, per_minute: int = 600, *users: str) -> list[HostPace]:
    """Users of one account, after a quiet hour."""
    pace(directory, per_minute).budget(0)
    return [pace(directory, per_minute) for _ in users or ("one",)]


def test_a_bucket_nobody_knows_starts_empty_and_fills_with_time(tmp_path: Path) -> None:
    one = pace(tmp_path)
    assert one.budget(NS_PER_S).reduce == 0
    assert one.budget(2 * NS_PER_S).reduce >= 7


def test_after_a_reboot_or_with_a_damaged_file_the_bucket_is_empty(tmp_path: Path) -> None:
    filled(tmp_path)
    assert pace(tmp_path, boot="another").budget(HOUR_NS).reduce == 0
    (one,) = filled(tmp_path)
    (tmp_path / "budget").write_bytes(b'{"boot_id": "bo')
    assert one.budget(HOUR_NS).reduce == 0


def test_a_clock_that_went_back_empties_the_bucket(tmp_path: Path) -> None:
    pace(tmp_path).budget(HOUR_NS)
    assert pace(tmp_path).budget(NS_PER_S).reduce == 0


def test_the_last_tokens_are_kept_for_cancelling_and_reducing(tmp_path: Path) -> None:
    (one,) = filled(tmp_path)
    now_ns, placed = HOUR_NS, 0
    while place := one.budget(now_ns).place:
        one.spent(place, now_ns)
        placed += place
        now_ns += 20 * NS_PER_MS
    budget = one.budget(now_ns)
    assert 38 <= placed <= 48
    assert budget.place == 0 and 1 <= budget.cancel < budget.reduce


def test_what_one_spends_another_lacks_and_what_one_leaves_another_gets(tmp_path: Path) -> None:
    one, two = filled(tmp_path, 600, "one", "two")
    now_ns = HOUR_NS
    for _ in range(30):
        one.spent(one.budget(now_ns).reduce, now_ns)
        now_ns += 20 * NS_PER_MS
    assert two.budget(now_ns).place == 0
    now_ns += 20 * NS_PER_S
    assert one.budget(now_ns).place and two.budget(now_ns).place


def test_a_debt_of_one_is_paid_by_all(tmp_path: Path) -> None:
    one, two = filled(tmp_path, 600, "one", "two")
    one.budget(HOUR_NS)
    one.spent(300, HOUR_NS)
    one.budget(HOUR_NS + LEASE_NS)
    assert two.budget(HOUR_NS + LEASE_NS).reduce == 0


def test_a_rate_limit_stops_all_and_slows_all_down(tmp_path: Path) -> None:
    one, two = filled(tmp_path, 600, "one", "two")
    one.budget(HOUR_NS)
    one.rate_limited(HOUR_NS)
    assert one.budget(HOUR_NS).reduce == 0
    assert two.budget(HOUR_NS).reduce == 0
    assert one.use(HOUR_NS).pace == 0.5
    assert two.use(HOUR_NS).pace == 0.5


def test_whoever_dies_takes_no_more_than_its_lease_along(tmp_path: Path) -> None:
    (one,) = filled(tmp_path)
    pace(tmp_path).budget(HOUR_NS)
    assert one.budget(HOUR_NS).place >= 7


def test_while_the_file_is_busy_nobody_waits_and_a_lease_is_good_for_a_second(tmp_path: Path) -> None:
    (one,) = filled(tmp_path)
    before = one.budget(HOUR_NS)
    holder = "import fcntl,sys,time; f=open(sys.argv[1]); fcntl.flock(f,2); print(1,flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", holder, str(tmp_path / "budget")], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None and process.stdout.readline()
        assert one.budget(HOUR_NS + LEASE_NS // 2) == before
        assert one.budget(HOUR_NS + LEASE_NS).reduce == 0
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert one.budget(HOUR_NS + LEASE_NS).reduce > 0
    finally:
        process.kill()
        process.communicate()


def test_use_tells_the_requests_of_the_last_minute_of_all(tmp_path: Path) -> None:
    one, two = filled(tmp_path, 600, "one", "two")
    for step in range(60):
        one.spent(2, HOUR_NS + step * NS_PER_S)
        one.budget(HOUR_NS + step * NS_PER_S)
    two.budget(HOUR_NS + NS_PER_MINUTE)
    assert 70 <= two.use(HOUR_NS + NS_PER_MINUTE).used_per_minute <= 90


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    limit=st.integers(5, 5000),
    steps=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5 * NS_PER_S), st.booleans()), max_size=120),
)
def test_together_they_never_exceed_the_limit_in_any_minute(tmp_path: Path, limit: int, steps: list) -> None:
    (tmp_path / "budget").unlink(missing_ok=True)
    users = [pace(tmp_path, limit) for _ in range(4)]
    now_ns, sent = HOUR_NS, []
    for who, wait_ns, everything in steps:
        now_ns += wait_ns
        budget = users[who].budget(now_ns)
        requests = budget.reduce if everything else budget.place
        users[who].spent(requests, now_ns)
        sent.append((now_ns, requests))
        assert sum(count for at_ns, count in sent if at_ns > now_ns - NS_PER_MINUTE) <= limit
    for user in users:
        user.close()


def test_a_command_that_asks_once_is_counted_too(tmp_path: Path) -> None:
    one, two = filled(tmp_path, 600, "one", "two")
    before = two.budget(HOUR_NS)
    one.spent(59, HOUR_NS)
    one.close()
    after = two.budget(HOUR_NS + LEASE_NS)
    assert before.place > 0 and after.place == 0


def test_an_account_of_sixty_a_minute_can_afford_a_round_of_questions(tmp_path: Path) -> None:
    (one,) = filled(tmp_path, 60)
    assert one.budget(HOUR_NS).cancel >= 4


def test_a_full_disk_leaves_the_bucket_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written lies in a block that the file has; given up first, it could be gone for good."""
    (one,) = filled(tmp_path)
    before = (tmp_path / "budget").read_bytes()

    def full(*_arguments: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="No space"):
            one.budget(HOUR_NS)
    assert (tmp_path / "budget").read_bytes() == before
