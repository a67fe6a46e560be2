"""What botctl depends on: declared, locked in one resolution, pinned to files."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
OURS = {"engine", "cli", "tests", "benchmarks", "botctl_toy"}
ELSEWHERE = {"paradex_py"}
"""In an environment of its own, with a lock of its own."""


def pins(name: str) -> dict[str, str]:
    lock = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", lock, re.MULTILINE))


def test_the_locks_are_parts_of_one_resolution() -> None:
    runtime, dev, everything = (pins(f"{name}.lock").items() for name in ("runtime", "dev", "all"))
    assert runtime
    assert runtime <= dev <= everything


def test_one_resolution_holds_every_extra() -> None:
    everything = pins("all.lock")
    assert {"starknet-py", "fast-stark-crypto", "eth-account", "coincurve", "lighter-sdk"} <= everything.keys()
    assert int(everything["websockets"].split(".")[0]) == 15, "starknet-py asks for websockets below 16"


@pytest.mark.parametrize("name", ["runtime.lock", "dev.lock", "all.lock", "paradex-py.lock"])
def test_a_lock_pins_files_and_names_no_registry(name: str) -> None:
    lock = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    entries = re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert not re.search(r"://|--index-url|--find-links", lock)


def test_every_direct_dependency_is_locked() -> None:
    """`make lock` was run after the last change of pyproject.toml."""
    groups = [PROJECT["dependency-groups"][name] for name in ("build", "dev")]
    wanted = [PROJECT["project"]["dependencies"], *groups, *PROJECT["project"]["optional-dependencies"].values()]
    direct = distributions([entry for group in wanted for entry in group if isinstance(entry, str)]) - {"botctl"}
    assert direct - pins("all.lock").keys() == set()


def distributions(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~\[ ;]", requirement, maxsplit=1)[0].lower() for requirement in requirements}


def third_party(*places: str) -> set[str]:
    """The distributions behind every import under these places that is neither ours nor Python's."""
    files = [
        file
        for place in places
        for file in ([ROOT / place] if (ROOT / place).is_file() else (ROOT / place).rglob("*.py"))
    ]
    known = packages_distributions()
    found: set[str] = set()
    for file in files:
        for module in imported_modules(file) - sys.stdlib_module_names - OURS - ELSEWHERE:
            found.add(known[module][0].lower().replace("_", "-"))
    return found


def imported_modules(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name.split(".")[0] for name in names}


def test_every_package_that_is_imported_is_declared() -> None:
    extras = PROJECT["project"]["optional-dependencies"].values()
    runtime = distributions([*PROJECT["project"]["dependencies"], *(entry for extra in extras for entry in extra)])
    dev = distributions([entry for entry in PROJECT["dependency-groups"]["dev"] if isinstance(entry, str)])
    assert third_party("engine", "cli.py") - runtime == set()
    assert third_party("tests", "benchmarks") - runtime - dev == set()
