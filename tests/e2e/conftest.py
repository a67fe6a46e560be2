"""A small fleet on a simulated venue, in a folder of its own; taken down after each test."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.botctl import BOTCTL, BTC, FLEET, SOL, Botctl


@pytest.fixture
def botctl() -> Iterator[Botctl]:
    """The command in a workspace with two bots, nothing applied yet."""
    root = Path(tempfile.mkdtemp(prefix="botctl e2e-"))
    (root / "bots").mkdir()
    command = Botctl(root)
    for path, text in (("bots/fleet.yaml", FLEET), ("bots/sol.yaml", SOL), ("bots/btc.yaml", BTC)):
        command.write(path, text)
    yield command
    subprocess.run([str(BOTCTL), "down"], cwd=root, capture_output=True, timeout=120, check=False)
    shutil.rmtree(root, ignore_errors=True)
