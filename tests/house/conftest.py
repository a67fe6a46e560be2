"""Three ways botctl gets onto a machine, each made once and used from a directory far from the clone."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A Python that can import botctl, and a foreign working directory to do it in."""

    python: Path
    outside: Path
    environment: dict[str, str]

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.python), *arguments],
            cwd=self.outside,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=check,
        )

    def script(self, name: str) -> Path:
        return self.python.with_name(name)


def run_pip(*arguments: str, python: Path | None = None) -> None:
    """Our own pip, working on another environment where one is named; it never asks a registry."""
    target = ["--python", str(python)] if python else []
    command = [sys.executable, "-m", "pip", "--quiet", *target, *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert result.returncode == 0, result.stderr


def bare_environment() -> dict[str, str]:
    kept = ("PATH", "HOME", "LANG", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")
    return {name: os.environ[name] for name in kept if name in os.environ}


def fresh_python(home: Path) -> Path:
    """A virtual environment that borrows the dependencies of the running one, but not its botctl."""
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    paths = sysconfig.get_paths(scheme="venv", vars={"base": str(home), "platbase": str(home)})
    Path(paths["purelib"], "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    run_pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(directory), str(ROOT))
    (built,) = directory.glob("botctl-*.whl")
    return built


@pytest.fixture(scope="session")
def from_wheel(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    home = tmp_path_factory.mktemp("from-wheel")
    python = fresh_python(home / "venv")
    run_pip("install", "--no-deps", "--no-index", "--force-reinstall", str(wheel), python=python)
    return Installation(python=python, outside=home, environment=bare_environment())


@pytest.fixture(scope="session")
def editable(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    home = tmp_path_factory.mktemp("editable")
    python = fresh_python(home / "venv")
    options = ("--no-deps", "--no-index", "--no-build-isolation", "--force-reinstall")
    run_pip("install", *options, "--editable", str(ROOT), python=python)
    return Installation(python=python, outside=home, environment=bare_environment())


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Nothing installed: only PYTHONPATH points at the clone."""
    home = tmp_path_factory.mktemp("checkout")
    python = fresh_python(home / "venv")
    environment = {**bare_environment(), "PYTHONPATH": str(ROOT)}
    return Installation(python=python, outside=home, environment=environment)
