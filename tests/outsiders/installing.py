"""How a stranger's package gets to where a process of the tests finds it; asks no package index."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]


def install(package: Path, place: Path) -> dict[str, str]:
    """The environment of a process in which the package is installed."""
    command = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([sys.executable, *command, "--target", str(place), str(package)], check=True, timeout=100)
    return {**os.environ, "PYTHONPATH": f"{place}{os.pathsep}{ROOT}"}


def virtual_environment(package: Path, place: Path) -> Path:
    """The `bin` of an environment with botctl, all that it needs, and the package. Supervised bots run in one: of a
    shell's variables they get none."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True, timeout=100)
    (site,) = place.glob("lib/python*/site-packages")
    (site / "botctl.pth").write_text(f"{ROOT}\n{Path(pytest.__file__).parents[1]}\n")
    install(package, site)
    for name, entry in SCRIPTS.items():
        module, function = entry.split(":")
        script = place / "bin" / name
        script.write_text(
            f"#!{place}/bin/python\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n"
        )
        script.chmod(0o755)
    return place / "bin"


def python(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a Python of that environment says."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=100)
