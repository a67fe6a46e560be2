"""`make demo`, the first command anybody types, with the environment of the running tests instead of a new one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = ("Makefile", ".ci", "requirements", "pyproject.toml", "bots", "templates")


class Clone:
    """A copy of what the Makefile needs."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for name in NEEDED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, directory / name)

    def make(self, target: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", target, f"VENV={sys.prefix}", "--assume-old", f"{sys.prefix}/.runtime"],
            cwd=self.directory,
            env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Clone]:
    clone = Clone(tmp_path)
    yield clone
    clone.make("demo-stop")


def generations(clone: Clone) -> list[str]:
    return sorted(path.name for path in (clone.directory / ".botctl" / "generations").iterdir())


@pytest.mark.timeout(300)
def test_the_demo_trades_and_may_be_run_again_while_it_runs_and_after_it_was_stopped(clone: Clone) -> None:
    first = clone.make("demo")
    assert first.returncode == 0, first.stdout + first.stderr
    for bot in sorted(path.stem for path in (clone.directory / "bots").glob("*-*.yaml")):
        assert any(line.split()[:2] == [bot, "running"] for line in first.stdout.splitlines()), bot
    assert "make demo-stop" in first.stdout
    before = generations(clone)

    second = clone.make("demo")
    assert second.returncode == 0, second.stdout + second.stderr
    assert "nothing to do" in second.stdout
    assert generations(clone) == before

    stopped = clone.make("demo-stop")
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    assert clone.make("demo-stop").returncode == 0

    third = clone.make("demo")
    assert third.returncode == 0, third.stdout + third.stderr


def test_help_lists_every_target(clone: Clone) -> None:
    listed = {line.split()[0] for line in clone.make("help").stdout.splitlines()}
    phony = next(line for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if ".PHONY" in line)
    assert listed == set(phony.split()[1:])


def test_continuous_integration_installs_the_judges_and_runs_exactly_make_test() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert [line for line in lines[1:] if line and not line.startswith("#")] == [
        "set -euo pipefail",
        'cd "$(dirname "$0")/.."',
        ".ci/packages",
        "make test",
    ]
