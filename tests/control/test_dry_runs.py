"""What verbs that only look really do, seen from outside: every file, socket and question of a run, by Python's own
audit events. `tests/house/test_dry_runs.py` shows by their code that they could not do more."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.control.fleet import Fleet
from tests.control.outside import pids, run_module
from tests.control.test_plan_equals_effect import lived
from tests.control.test_plan_files import declare, declared

LOOKS = (
    ("plan",),
    ("plan", "--full", "--json"),
    ("plan", "sol", "--detailed-exitcode"),
    ("validate",),
    ("drift",),
    ("drift", "--json", "--all"),
    ("explain", "sol"),
    ("status",),
    ("history",),
    ("diff", "1"),
    ("audit",),
)
"""One that is new joins here."""
CONNECTS = {"connect supervisord", "connect eth.sock", "connect sol.sock"}
ASKS = {"ask for supervisor.getAllProcessInfo", "ask for supervisor.getState", "ask for supervisor.getPID"}


@pytest.fixture
def place(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two bots that run, and an edit that nobody applied."""
    declared(fleet, monkeypatch)
    declare(fleet.workspace.root, sol=12)
    return fleet.workspace.root


def test_a_look_leaves_no_trace(fleet: Fleet, place: Path) -> None:
    before = pids(fleet)
    lived(fleet)
    for words in LOOKS:
        steps = trace(place, *words)
        assert steps <= CONNECTS | ASKS, words
        assert lived(fleet) == {} and pids(fleet) == before, words


def test_a_verb_that_acts_leaves_traces(place: Path) -> None:
    """So that a look in which nothing is found means something."""
    steps = trace(place, "stop", "eth")
    assert "ask for system.multicall" in steps and "os.rename eth.json" in steps


def trace(place: Path, *words: str) -> set[str]:
    done = run_module("tests.control.traced_verb", str(place / "engine"), *words, "-C", str(place))
    assert done.returncode in (0, 2), done.stderr
    return {line.removeprefix("step: ") for line in done.stderr.splitlines() if line.startswith("step: ")}
