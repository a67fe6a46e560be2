"""kill -9 of an apply before each of its steps, against a real supervisord: the next apply finishes the job."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import pytest

from engine.control.apply import apply
from engine.control.chain import verify
from engine.control.fleet import Fleet
from engine.control.history import history
from engine.control.lock import writing
from engine.control.observe import observe
from engine.errors import BotctlError
from engine.host.generation import current_number, read_current
from engine.plan.diff import diff
from tests.control.doomed_apply import FLEETS, first
from tests.control.outside import run_module

SLICES = 6
"""Each with a fleet of its own, so that they share the processors."""
STEPS_MAX = 100


def doomed(fleet: Fleet, name: str, step: int) -> bool:
    """An apply that is killed before one of its steps; False when it was over by then."""
    root = str(fleet.workspace.root)
    done = run_module("tests.control.doomed_apply", root, f"{root}/engine", name, str(step))
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def runners(fleet: Fleet) -> Counter[str]:
    """Every engine of this fleet that really runs, from the process table."""
    found: Counter[str] = Counter()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if str(fleet.workspace.state) in words and any(word.endswith("fake_engine.py") for word in words):
            found[words[words.index(str(fleet.workspace.state)) + 1]] += 1
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize("start", range(1, SLICES + 1))
def test_an_apply_killed_before_any_step_is_finished_by_the_next(fleet: Fleet, start: int) -> None:
    apply(fleet, first(), lambda _plan: None)
    names = ["second", "first"]
    for turn, step in enumerate(range(start, STEPS_MAX, SLICES)):
        name = names[turn % 2]
        before = current_number(fleet.workspace)
        if not doomed(fleet, name, step):
            return
        _is_told(fleet, before)
        _apply_again(fleet, name)
        _is_finished(fleet, name)
    raise AssertionError("an apply never ends")


def _apply_again(fleet: Fleet, name: str) -> None:
    """What the killed one had only just started may be stopped before it can hear that it is asked to. An apply
    says so, and the one after it goes on."""
    try:
        apply(fleet, FLEETS[name](), lambda _plan: None)
    except BotctlError as error:
        assert "did not finish the stop procedure" in error.message
        apply(fleet, FLEETS[name](), lambda _plan: None)


def _is_told(fleet: Fleet, before: int | None) -> None:
    """Nobody holds the lock; what was begun and not ended is called so."""
    assert writing(fleet.workspace) is None
    assert not verify(fleet.workspace.audit_log.read_bytes()).broken
    newest = history(fleet.workspace, 1)[0]
    if newest.number != before:
        assert newest.result == ("applied" if newest.finished_at else "interrupted")
    assert read_current(fleet.workspace) is not None


def _is_finished(fleet: Fleet, name: str) -> None:
    wanted = FLEETS[name]()
    assert runners(fleet) == Counter(set(wanted.bots)), "one runner each, none doubled, none left"
    assert diff(wanted, observe(fleet)).changes == ()
    assert not verify(fleet.workspace.audit_log.read_bytes()).broken
    newest = history(fleet.workspace, 1)[0]
    assert newest.is_current and newest.result == "applied"
