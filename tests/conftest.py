"""What holds for every test: nothing of the person's own botctl is touched, and fleets do not share cores.

`make test` runs two workers. Tests that start a whole fleet want a core for themselves, so all of them are given
to one worker; the rest of the suite fills the other.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

FLEET_ROOMS = ("e2e", "docs")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        room = item.path.relative_to(Path(__file__).parent).parts[0]
        if room in FLEET_ROOMS:
            item.add_marker(pytest.mark.xdist_group("fleets"))
        elif room == "house":
            item.add_marker(pytest.mark.xdist_group("house"))


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
