"""Who only looks has no hands: read from the syntax trees of everything that a dry run can reach.

The contract `dry` of .importlinter lists who only looks, and keeps from them the modules that act; here it is shown
that what they do reach calls nothing that acts. A new verb that only looks joins that list, and is covered.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.test_layers import ROOT, at, calls, contract, imported, tree

LOOKS = contract("dry", "source_modules")
HANDS = frozenset(
    {
        "execute",  # of a backend: load, start, stop, remove, shut down
        "writer_lock",
        "write_generation",
        "switch_to",
        "place_hold",
        "lift_hold",
        "record",
        "recorded",
        "write_atomic",
        "write_text",
        "write_bytes",
        "unlink",
        "rename",
        "rmtree",
        "symlink_to",
        "kill",
        "killpg",
    }
)
OWN = {
    "engine/control/plan_file.py": {"write_atomic"},  # the file that `plan -o` names
    "engine/commands/plan.py": {"write_text"},  # the report that `plan --html` names
    "engine/control/committed.py": {"rmtree", "symlink_to", "write_bytes"},  # a folder of its own, of a revision
    "engine/control/git.py": {"killpg"},  # git itself, when it takes too long
}
"""What somebody who only looks may do, and to what: never to the fleet."""
ROOMS = ("engine.commands", "engine.control")
"""The rooms that know the fleet as a whole. What a backend can do is behind `Eyes`, which can only observe."""
BACKENDS = "engine.control.backends"


def test_plan_and_validate_are_among_those_who_only_look() -> None:
    assert {"engine.commands.plan", "engine.commands.validate", "engine.control.planning"} <= set(LOOKS)


@pytest.mark.parametrize("module", LOOKS)
def test_who_only_looks_reaches_nothing_that_acts(module: str) -> None:
    found = [
        at(path, line, name)
        for path in sorted(reached(module))
        for line, name in calls(path)
        if name in HANDS - OWN.get(str(path.relative_to(ROOT)), set())
    ]
    assert found == []


@pytest.mark.parametrize("module", LOOKS)
def test_who_only_looks_asks_engines_for_their_status_and_for_nothing_else(module: str) -> None:
    asked = {verb for path in reached(module) for verb in _asked_of_engines(path)}
    assert asked <= {"status"}


def test_a_hand_would_be_found() -> None:
    """The same look at `apply`, so that a test that finds nothing means something."""
    found = {name for path in reached("engine.commands.apply") for _, name in calls(path)} & HANDS
    assert {"execute", "writer_lock", "write_generation", "switch_to"} <= found


def reached(module: str) -> set[Path]:
    """Every file of these rooms that importing a module, or calling what it defines, may load."""
    found: set[Path] = set()
    waiting = {_file(module)}
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        waiting |= {file for name in _modules(path) if (file := _file(name)).exists()}
    return found


def _modules(path: Path) -> Iterator[str]:
    """What a file imports of these rooms, wherever it does so, also one name of a package."""
    names = {name for _, name in imported(path)}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return (name for name in names if name.startswith(ROOMS) and not name.startswith(BACKENDS))


def _file(module: str) -> Path:
    return (ROOT / Path(*module.split("."))).with_suffix(".py")


def _asked_of_engines(path: Path) -> Iterator[str]:
    """The verbs of `call` and `call_all`, which speak with control sockets."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("call", "call_all"):
            verb = node.args[1]
            yield verb.value if isinstance(verb, ast.Constant) else ast.unparse(verb)
