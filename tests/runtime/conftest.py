"""A workspace with a running simulator, and engines as real processes in it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import Unavailable
from engine.host.control_client import call
from engine.host.endpoints import read_sim_endpoint
from engine.host.workspace import Workspace
from engine.spec.types import BotSpec
from tests.fleets import write_generation

REPOSITORY = Path(__file__).parents[2]
PATIENCE_S = 30.0


def until(condition: Callable[[], Any]) -> Any:
    """The condition's first true value; a failure when none comes in good time."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {PATIENCE_S:g} s in vain")


class Stage:
    """One workspace with its own host directories, and the processes started in it."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace(root=root / "fleet")
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "XDG_STATE_HOME": str(root / "host"),
            "XDG_RUNTIME_DIR": str(root / "run"),
        }
        self._processes: list[subprocess.Popen[str]] = []

    def apply(self, *bots: BotSpec) -> None:
        write_generation(self.workspace, {bot.name: bot for bot in bots})

    def start(self, module: str, *arguments: str) -> subprocess.Popen[str]:
        """Run a program's `main` with the workspace's state directory and these arguments."""
        return self.script(f"import sys; from {module} import main; sys.exit(main())", *arguments)

    def script(self, script: str, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(self.workspace.state), *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        return process

    def simulate(self) -> subprocess.Popen[str]:
        process = self.start("engine.sim.main", "backpack")
        until(self._has_simulator)
        return process

    def engine(self, bot: str = "maker") -> subprocess.Popen[str]:
        return self.start("engine.runtime.launch", bot)

    def ask(self, verb: str, bot: str = "maker", **arguments: Any) -> dict[str, Any]:
        return call(self.workspace.runtime_dir / f"{bot}.sock", verb, arguments, timeout_s=15)

    def leg(self, bot: str = "maker") -> dict[str, Any]:
        """The bot's figures; empty while it does not answer."""
        try:
            return dict(self.ask("status", bot)["legs"].get("main", {}))
        except Unavailable:
            return {}

    def close(self) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.communicate()

    def _has_simulator(self) -> bool:
        try:
            return bool(read_sim_endpoint(self.workspace, "backpack"))
        except Unavailable:
            return False


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Its path is short, because a unix socket's must be."""
    with tempfile.TemporaryDirectory(prefix="bc-", dir="/tmp") as directory:
        stage = Stage(Path(directory))
        with pytest.MonkeyPatch.context() as patch:
            for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
                patch.setenv(name, stage.environment[name])
            yield stage
            stage.close()
