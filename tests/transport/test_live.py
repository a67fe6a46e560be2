"""The real world behaves as the World says."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from engine.transport.live import LiveWorld
from engine.transport.world import World
from tests.transport.loopback import GET, answer_all, serving


def test_it_is_a_world() -> None:
    world: World = LiveWorld()
    assert world.now_ns() > 1_700_000_000 * 10**9
    assert world.monotonic_ns() <= world.monotonic_ns()


def test_its_time_goes_on_steadily_whatever_happens_to_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    world = LiveWorld()
    before_ns = world.now_ns()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert 0 <= world.now_ns() - before_ns < 10**9


def test_requests_leave_through_it_and_it_can_be_closed() -> None:
    async def scenario() -> None:
        world = LiveWorld()
        async with serving(answer_all) as server:
            assert (await world.http(server.base_url, GET, timeout_s=1)).status == 200
            await world.close()

    asyncio.run(scenario())


def test_a_database_commits_when_told_and_without_a_sync(tmp_path: Path) -> None:
    database = LiveWorld().database(tmp_path / "journal.db")
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("PRAGMA synchronous").fetchone() == (1,)  # NORMAL: in WAL, commits do not sync.
    database.execute("CREATE TABLE t (n)")
    database.execute("BEGIN")
    database.execute("INSERT INTO t VALUES (1)")
    other = sqlite3.connect(tmp_path / "journal.db")
    assert other.execute("SELECT count(*) FROM t").fetchone() == (0,)
    database.commit()
    assert other.execute("SELECT count(*) FROM t").fetchone() == (1,)
    other.close()
    database.close()


def test_blocking_work_runs_beside_the_loop() -> None:
    async def scenario() -> None:
        world = LiveWorld()
        assert await world.in_thread(threading.get_ident) != threading.get_ident()
        with pytest.raises(ZeroDivisionError):
            await world.in_thread(lambda: 1 // 0)

    asyncio.run(scenario())
