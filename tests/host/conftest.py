"""A workspace of its own for every test; nothing of the real user is read or written."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.host.workspace import Workspace


@pytest.fixture(autouse=True)
def own_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "host"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.delenv("BOTCTL_WORKSPACE", raising=False)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "fleet"
    (root / "bots").mkdir(parents=True)
    (root / "bots" / "fleet.yaml").write_text("id: test\n")
    return Workspace(root=root)


@pytest.fixture
def sockets() -> Iterator[Path]:
    """A directory whose path is short enough for unix sockets everywhere."""
    with tempfile.TemporaryDirectory(prefix="bc-", dir="/tmp") as directory:
        yield Path(directory)
