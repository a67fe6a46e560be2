"""What holds for every test: nothing of the person's own botctl is touched, and fleets do not share cores.

`make test` runs two workers. Tests that start a whole fleet want a core for themselves, so all of them are given
to one worker; the rest of the suite fills the other.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

settings.register_profile("botctl", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("botctl")
"""A slow machine is no failure, since nothing here asserts time; CI looks at the same examples every time."""

RECURSION_LIMIT = sys.getrecursionlimit()

UNITS = {"e2e": "fleets", "fire": "fleets", "docs": "pages", "house": "house"}
"""Rooms whose tests stay together: fleets want a core, and `house` builds its installations once."""


class RoomScheduling(LoadScopeScheduling):
    """Hands whole units to workers: a room of UNITS, else a file. The largest goes first."""

    def _split_scope(self, nodeid: str) -> str:
        room = nodeid.removeprefix("tests/").split("/")[0]
        return UNITS.get(room) or nodeid.split("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> RoomScheduling:
    return RoomScheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Judges' libraries raise the recursion limit when they are imported, and what should be an error crashes."""
    sys.setrecursionlimit(RECURSION_LIMIT)


@pytest.fixture(scope="session", autouse=True)
def _own_host_directories() -> Iterator[None]:
    """Locks, tags and sockets of the tests lie in a directory of their own; its path is short for sockets."""
    home = Path(tempfile.mkdtemp(prefix="botctl-"))
    (home / "run").mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(home / "state"))
        patch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
        patch.delenv("BOTCTL_WORKSPACE", raising=False)
        yield
    shutil.rmtree(home, ignore_errors=True)
