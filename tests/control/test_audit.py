"""The audit log: what is written stays, in order, and whoever changes it is found."""

from __future__ import annotations

import errno
import fcntl
import json
import multiprocessing
import os
import subprocess
from pathlib import Path

import pytest

from engine.control import audit
from engine.control.audit import note, record, recorded
from engine.control.chain import verify
from engine.control.generations import switch_to, write_generation
from engine.errors import BotctlError, Locked
from engine.host.workspace import Workspace
from tests.plan.fleets import desired, spec

OLD = b'{"at": "2026-01-01T00:00:00.000Z", "who": "ann", "what": "apply"}\n' * 2


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    place = Workspace(root=tmp_path)
    place.prepare()
    return place


def entries(workspace: Workspace) -> list[dict[str, object]]:
    return [json.loads(line) for line in workspace.audit_log.read_bytes().splitlines()]


def lines(workspace: Workspace) -> list[bytes]:
    return workspace.audit_log.read_bytes().splitlines(keepends=True)


def rewrite(workspace: Workspace, content: list[bytes]) -> str:
    """Put other lines into the log; what checking it says."""
    workspace.audit_log.write_bytes(b"".join(content))
    return verify(workspace.audit_log.read_bytes()).broken


def test_a_log_begins_with_its_fleet_and_every_line_follows_from_the_one_before(workspace: Workspace) -> None:
    switch_to(workspace, write_generation(workspace, desired(spec("sol")), conf=""))
    for verb in ("apply", "stop", "start"):
        record(workspace, verb, why="a test")
    assert [entry["what"] for entry in entries(workspace)] == ["begin", "apply", "stop", "start"]
    assert entries(workspace)[0]["fleet"] == "lab"
    assert [entry["seq"] for entry in entries(workspace)] == [1, 2, 3, 4]
    found = verify(workspace.audit_log.read_bytes())
    assert not found.broken and len(found.hashes) == 4


def test_anybody_can_check_a_line_with_sha256sum(workspace: Workspace) -> None:
    record(workspace, "apply")
    record(workspace, "stop")
    command = f"sed -n 2p {workspace.audit_log} | sha256sum"
    shown = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert shown.stdout.split()[0] == entries(workspace)[2]["prev"]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (
            lambda all_: [*all_[:2], all_[2].replace(b"apply 1", b"apply 9"), *all_[3:]],
            "line 3 changed after line 4",
        ),
        (lambda all_: [*all_[:2], *all_[3:]], "line 3 is entry 4 where entry 3 belongs"),
        (lambda all_: [*all_[:2], all_[2], *all_[2:]], "line 4 is entry 3 where entry 4 belongs"),
        (lambda all_: [*all_[:3], all_[4], all_[3], *all_[5:]], "line 4 is entry 5 where entry 4 belongs"),
        (lambda all_: [all_[0], b"not a line of ours\n", *all_[1:]], "lines 1 to 2 changed after line 3"),
        (lambda all_: all_[1:], "line 1 is entry 2 where entry 1 belongs"),
    ],
    ids=["edited", "removed", "doubled", "swapped", "inserted", "its beginning cut off"],
)
def test_a_log_that_was_changed_is_found_out_with_the_line(workspace: Workspace, how: object, words: str) -> None:
    for number in range(4):
        record(workspace, f"apply {number}")
    assert callable(how)
    assert words in rewrite(workspace, how(lines(workspace)))


def test_a_log_cut_off_at_its_end_is_known_only_by_a_head_noted_before(workspace: Workspace) -> None:
    record(workspace, "apply")
    record(workspace, "destroy")
    head = verify(workspace.audit_log.read_bytes()).head
    assert rewrite(workspace, lines(workspace)[:-1]) == ""
    assert head not in verify(workspace.audit_log.read_bytes()).hashes


@pytest.mark.parametrize("kept", [0.01, 0.5, 0.99], ids=["a byte", "half", "all but the newline"])
def test_a_torn_last_line_is_reported_and_the_next_writer_goes_on_after_it(
    workspace: Workspace, kept: float
) -> None:
    record(workspace, "apply")
    record(workspace, "stop")
    *whole, last = lines(workspace)
    workspace.audit_log.write_bytes(b"".join(whole) + last[: max(1, round(len(last[:-1]) * kept))])
    found = verify(workspace.audit_log.read_bytes())
    assert (found.broken, found.torn) == ("", (3,))
    record(workspace, "start")
    record(workspace, "down")
    found = verify(workspace.audit_log.read_bytes())
    assert (found.broken, found.torn) == ("", (3,))
    changed = lines(workspace)
    assert "lines 2 to 3 changed" in rewrite(
        workspace, [changed[0], changed[1].replace(b"apply", b"abbly"), *changed[2:]]
    )


def test_a_whole_line_that_only_lacks_its_newline_counts(workspace: Workspace) -> None:
    record(workspace, "apply")
    workspace.audit_log.write_bytes(workspace.audit_log.read_bytes()[:-1])
    record(workspace, "stop")
    found = verify(workspace.audit_log.read_bytes())
    assert (found.broken, found.torn, len(found.hashes)) == ("", (), 3)


@pytest.mark.parametrize("torn", [b"", b'{"at": "2026-01'], ids=["whole", "torn"])
def test_a_log_of_an_earlier_version_goes_on_and_is_covered_from_there(workspace: Workspace, torn: bytes) -> None:
    workspace.audit_log.write_bytes(OLD + torn)
    record(workspace, "apply")
    found = verify(workspace.audit_log.read_bytes())
    assert not found.broken and found.begins == 3 + bool(torn) and found.torn == ()
    assert workspace.audit_log.read_bytes().startswith(OLD + torn)
    assert "changed after line" in rewrite(workspace, [b" " + lines(workspace)[0], *lines(workspace)[1:]])


def test_lines_longer_than_what_is_read_at_once_are_chained_too(workspace: Workspace) -> None:
    for _ in range(3):
        record(workspace, "apply", actions=["create bot with-a-long-name"] * 5000)
    assert not verify(workspace.audit_log.read_bytes()).broken


def _write_many(root: Path, who: int) -> None:
    for number in range(20):
        record(Workspace(root=root), f"stop {who} {number}")


def test_writers_of_several_processes_keep_one_chain(workspace: Workspace) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(workspace.root, who)) for who in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0] * 4
    found = verify(workspace.audit_log.read_bytes())
    assert (found.broken, found.torn, len(found.hashes)) == ("", (), 81)


def test_a_frozen_writer_keeps_nobody_from_stopping(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PATIENCE_S", 0.05)
    record(workspace, "apply")
    with workspace.audit_log.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        note(workspace, "halt")
        with pytest.raises(Locked, match="frozen"):
            try:
                record(workspace, "apply")
            except Locked as error:
                raise Locked(f"{error.message} {error.hint}") from None


def test_a_disk_that_takes_only_a_part_of_a_line_keeps_none_of_it(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(workspace, "apply")
    before = workspace.audit_log.read_bytes()
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, content: write(handle, content[:10]))
    with pytest.raises(OSError) as full:
        record(workspace, "stop")
    assert full.value.errno == errno.ENOSPC
    assert workspace.audit_log.read_bytes() == before


def test_what_failed_is_written_with_its_reason_and_what_was_interrupted_as_that(workspace: Workspace) -> None:
    with pytest.raises(BotctlError), recorded(workspace, "stop", bots=["sol"], why="late"):
        raise BotctlError("it does not stop")
    with pytest.raises(KeyboardInterrupt), recorded(workspace, "start", bots=["sol"]):
        raise KeyboardInterrupt
    _, begun, failed, _, interrupted = entries(workspace)
    assert (begun["result"], failed["result"], failed["error"]) == ("begun", "failed", "it does not stop")
    assert failed["why"] == "late" and interrupted["result"] == "interrupted"
