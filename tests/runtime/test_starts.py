from __future__ import annotations

from pathlib import Path

import pytest

from engine.clock import NS_PER_S
from engine.host.workspace import Workspace
from engine.runtime import starts
from engine.runtime.starts import (
    LONGEST_DELAY_S,
    REMEMBERED,
    delay_s,
    forget_starts,
    note_start,
    starts_within_hour,
)

NOW_NS = 1_790_000_000 * NS_PER_S


def crashing(workspace: Workspace, starts: int, every_s: float) -> list[float]:
    return [note_start(workspace, "maker", NOW_NS + int(n * every_s * NS_PER_S)) for n in range(starts)]


def test_a_bot_that_keeps_crashing_waits_longer_and_longer_up_to_a_bound(tmp_path: Path) -> None:
    delays = crashing(Workspace(root=tmp_path), 12, every_s=1)
    assert delays == [0, 0, 1, 2, 4, 8, 16, *[LONGEST_DELAY_S] * 5]


def test_starts_long_ago_do_not_count(tmp_path: Path) -> None:
    assert set(crashing(Workspace(root=tmp_path), 5, every_s=100)) == {0.0}


def test_a_normal_end_forgets_earlier_crashes(tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path)
    crashing(workspace, 6, every_s=1)
    forget_starts(workspace, "maker")
    assert note_start(workspace, "maker", NOW_NS + 7 * NS_PER_S) == 0


def test_a_damaged_memory_of_starts_keeps_no_bot_from_starting(tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path)
    workspace.starts.mkdir(parents=True)
    (workspace.starts / "maker.json").write_text("{")
    assert note_start(workspace, "maker", NOW_NS) == 0


def test_a_start_that_cannot_be_noted_waits_the_longest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(starts, "write_atomic", full)
    assert note_start(Workspace(root=tmp_path), "maker", NOW_NS) == LONGEST_DELAY_S


def test_the_memory_of_starts_is_bounded(tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path)
    crashing(workspace, 100, every_s=0.01)
    assert (workspace.starts / "maker.json").read_text().count(",") == REMEMBERED - 1


def test_the_delay_never_exceeds_its_bound_whatever_the_clock_does() -> None:
    assert delay_s([NOW_NS + 10**18] * 16, NOW_NS) == LONGEST_DELAY_S


def test_slow_crashes_are_counted_too_for_an_hour(tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path)
    crashing(workspace, 10, every_s=300)
    assert starts_within_hour(workspace, "maker", NOW_NS + 2700 * NS_PER_S) == 10
    assert starts_within_hour(workspace, "maker", NOW_NS + 4000 * NS_PER_S) == 8
    assert starts_within_hour(workspace, "other", NOW_NS) == 0
