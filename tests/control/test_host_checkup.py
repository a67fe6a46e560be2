"""Doctor's view of the host: every limit has a finding that says what to do."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from engine.control import host_checkup
from engine.control.finding import Finding, Grade
from engine.control.host_checkup import available_memory, clock, descriptors, disk, memory, socket_names
from engine.host.workspace import Workspace

MB = 1 << 20


@pytest.mark.parametrize(
    ("finding", "grade", "words"),
    [
        (descriptors(resource.RLIM_INFINITY), Grade.OK, "1024 open files"),
        (descriptors(1_024), Grade.OK, "1024 open files"),
        (descriptors(256), Grade.FAIL, "only 256"),
        (memory(4_000 * MB, 10), Grade.OK, "4000 MB"),
        (memory(100 * MB, 10), Grade.WARN, "10 bots may need 480 MB"),
        (memory(None, 10), Grade.OK, "cannot be told"),
        (disk(2 << 30), Grade.OK, "2048 MB"),
        (disk(10 * MB), Grade.FAIL, "only 10 MB"),
        (socket_names(Path("/run/user/1000/botctl")), Grade.OK, "leaves room"),
        (socket_names(Path("/" + "x" * 60)), Grade.WARN, "longer than the system takes"),
        (clock(True), Grade.OK, "is synchronised"),
        (clock(False), Grade.WARN, "follows no other"),
        (clock(None), Grade.OK, "cannot be told"),
    ],
)
def test_a_limit_is_found_and_what_is_wrong_comes_with_a_hint(finding: Finding, grade: Grade, words: str) -> None:
    assert finding.grade is grade and words in finding.what
    assert bool(finding.hint) is (grade is not Grade.OK)


def test_free_memory_is_read_from_the_kernel_where_it_tells(tmp_path: Path) -> None:
    file = tmp_path / "meminfo"
    file.write_text("MemTotal: 16 kB\nMemAvailable:    2048 kB\n")
    assert available_memory(file) == 2 * MB
    file.write_text("MemAvailable: lots\n")
    assert available_memory(file) is None
    assert available_memory(tmp_path / "missing") is None


def test_the_whole_host_is_looked_at(tmp_path: Path) -> None:
    words = " ".join(finding.what for finding in host_checkup.host_checkup(Workspace(root=tmp_path), 3))
    for subject in ("botctl-engine", "open files", "memory", "disk", "clock", "sockets"):
        assert subject in words
