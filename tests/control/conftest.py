"""A workspace of its own for every test, with a real supervisord and engines that only pretend."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.control import programs
from engine.control.backends.supervisor import supervisor_backend
from engine.control.down import take_down
from engine.control.fleet import Fleet
from engine.host.facts import write_facts
from engine.host.workspace import Workspace
from engine.spec.facts import VenueMarkets
from engine.spec.types import Environment
from tests.control.heard import Heard, listening


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """An empty fleet; whatever it runs at the end is taken down."""
    folder = Path(tempfile.mkdtemp(prefix="fleet with space-"))
    launcher = folder / "engine"
    launcher.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name("fake_engine.py")} "$@"\n')
    launcher.chmod(0o755)
    monkeypatch.setattr(programs, "_launcher", lambda _script: str(launcher))
    workspace = Workspace(root=folder)
    opened = Fleet(workspace=workspace, backend=supervisor_backend(workspace), progress=lambda _line: None)
    workspace.prepare()
    workspace.env_file.write_text("KEY=k\nSECRET=s\n")
    workspace.env_file.chmod(0o600)
    write_facts(workspace, "backpack", Environment.SIM, VenueMarkets(fetched_at_ns=0, instruments=()))
    yield opened
    shutil.rmtree(workspace.state / "fake", ignore_errors=True)
    take_down(opened)
    shutil.rmtree(folder)


@pytest.fixture
def heard() -> Iterator[Heard]:
    """A service on loopback, and what it was told."""
    with listening() as service:
        yield service
