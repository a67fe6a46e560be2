"""What holds for every test: nothing of the person's own botctl is touched, and no worker waits for another.

`make test` runs more workers than it needs cores: tests that start a fleet mostly wait for it, and meanwhile others
compute.
"""

from __future__ import annotations

import decimal
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

LONGEST = ("chaos", "docs", "e2e", "fire", "control", "runtime", "determinism")
"""Rooms in the order in which they begin; all others follow. What takes minutes must not be left for the end."""


class FileScheduling(LoadScopeScheduling):
    """Hands whole files to workers; the room `house` stays together, since it builds its installations once."""

    def _split_scope(self, nodeid: str) -> str:
        return room if (room := _room(nodeid)) == "house" else nodeid.split("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FileScheduling:
    config.option.loadscopereorder = False
    return FileScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {room: rank for rank, room in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(_room(item.nodeid), len(ranks)))


def _room(nodeid: str) -> str:
    return nodeid.removeprefix("tests/").split("/")[0]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Judges' libraries raise the recursion limit when they are imported, and what should be an error crashes; or
    they round decimals in their own way, and so would everybody in their process."""
    sys.setrecursionlimit(RECURSION_LIMIT)
    decimal.setcontext(decimal.Context())


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
