"""One writer at a time; who holds the lock is judged by its process, and from another host not at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from engine.control import lock
from engine.control.chain import verify
from engine.control.lock import Writer, lock_file, unlock, writer_lock, writing
from engine.errors import Locked
from engine.host.process import start_of
from engine.host.workspace import Workspace

ROOT = Path(__file__).parents[2]
HOLDS_IT = """
import sys, time
from pathlib import Path
from engine.control.lock import writer_lock
from engine.host.workspace import Workspace
with writer_lock(Workspace(root=Path(sys.argv[1])), "apply") as lock:
    lock.carries("create sol")
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    place = Workspace(root=tmp_path)
    place.prepare()
    return place


@contextmanager
def held(workspace: Workspace) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLDS_IT, str(workspace.root)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield process
        process.kill()


def left(workspace: Workspace, **changes: object) -> Writer:
    """A name in the lock file whose OS lock nobody holds (any more, or as far as this host sees)."""
    with writer_lock(workspace, "apply"):
        writer = msgspec.json.decode(lock_file(workspace).read_bytes(), type=Writer)
    writer = msgspec.structs.replace(writer, **changes)
    lock_file(workspace).write_bytes(msgspec.json.encode(writer))
    return writer


def test_whoever_comes_second_is_told_who_holds_it_and_for_what(workspace: Workspace) -> None:
    with held(workspace) as process:
        with pytest.raises(Locked) as refused, writer_lock(workspace, "stop"):
            pass
        assert refused.value.exit_code == 4
        for words in ("`botctl apply`", f"process {process.pid} on", "since 2", "create sol"):
            assert words in refused.value.message
        named = writing(workspace)
        assert named is not None and named.pid == process.pid and named.started == start_of(process.pid)
    assert writing(workspace) is None


def test_a_killed_holders_lock_is_free_at_once(workspace: Workspace) -> None:
    with held(workspace) as process:
        process.kill()
        process.wait()
        assert lock_file(workspace).read_bytes(), "nobody lived to take the name out"
        with writer_lock(workspace, "stop"):
            pass


def test_a_frozen_holder_keeps_it_however_old_it_is(workspace: Workspace) -> None:
    with held(workspace) as process:
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(Locked), writer_lock(workspace, "stop"):
            pass
        with pytest.raises(Locked, match=f"process {process.pid}"):
            unlock(workspace, why="it hangs")
        process.send_signal(signal.SIGCONT)


def test_a_pid_that_is_used_again_is_not_the_holder(workspace: Workspace) -> None:
    left(workspace, started="another-boot/12")
    assert writing(workspace) is None
    with writer_lock(workspace, "stop"):
        pass


def test_a_living_holder_counts_where_the_disk_forgot_its_lock(workspace: Workspace) -> None:
    left(workspace)
    with pytest.raises(Locked), writer_lock(workspace, "stop"):
        pass
    with pytest.raises(Locked):
        unlock(workspace, why="I think so")


@pytest.mark.parametrize("changes", [{"host": "web2"}, {"machine": "0a0b0c0d"}], ids=["name", "same name"])
def test_another_hosts_lock_is_never_judged_from_here_only_unlocked_by_a_person(
    workspace: Workspace, changes: dict[str, str]
) -> None:
    left(workspace, since="2020-01-01T00:00:00.000Z", started="long gone", **changes)
    with pytest.raises(Locked, match="since 2020") as refused, writer_lock(workspace, "apply"):
        pass
    assert refused.value.hint is not None and "botctl unlock --why" in refused.value.hint
    assert unlock(workspace, why="web2 was scrapped") is not None
    with writer_lock(workspace, "apply"):
        pass
    log = workspace.audit_log.read_bytes()
    entry = json.loads(log.splitlines()[-1])
    assert (entry["what"], entry["why"]) == ("unlock", "web2 was scrapped") and "since 2020" in entry["of"]
    assert not verify(log).broken


def test_there_may_be_nothing_to_unlock(workspace: Workspace) -> None:
    assert unlock(workspace, why="to be sure") is None
    assert not workspace.audit_log.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b'{"verb": "ap', b'{"verb": "apply", "pid": 1, "who": "ann", "since": "2026-01-01T00:00:00.000Z"}'],
    ids=["empty", "torn", "of an earlier version"],
)
def test_a_name_that_says_nothing_leaves_it_to_the_os_lock(workspace: Workspace, content: bytes) -> None:
    lock_file(workspace).write_bytes(content)
    assert writing(workspace) is None
    with writer_lock(workspace, "stop"):
        pass


def test_looking_at_the_lock_keeps_nobody_from_taking_it(workspace: Workspace) -> None:
    code = HOLDS_IT.split("with writer_lock")[0].replace("import writer_lock", "import writing")
    code += "print('looks', flush=True)\nwhile True: writing(Workspace(root=Path(sys.argv[1])))"
    command = [sys.executable, "-c", code, str(workspace.root)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as looking:
        assert looking.stdout is not None and looking.stdout.readline() == "looks\n"
        deadline = time.monotonic() + 0.5
        while time.monotonic() < deadline:
            with writer_lock(workspace, "stop"):
                pass
        looking.kill()


def test_a_lock_is_told_from_one_of_another_installation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from engine.host import machine

    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("aaaa\n")
    second.write_text("bbbb\n")
    digests = []
    for file in (first, second, tmp_path / "none"):
        monkeypatch.setattr(machine, "MACHINE_ID", file)
        digests.append(machine.machine_digest())
    assert len(set(digests)) == 3 and digests[2] == ""
    assert lock.machine_digest is machine.machine_digest


def test_a_holder_that_is_still_writing_its_name_is_waited_for(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held(workspace) as process:
        written = lock_file(workspace).read_bytes()
        answers = iter([b"", written[:10]])
        monkeypatch.setattr(lock.os, "pread", lambda *_: next(answers, written))
        with pytest.raises(Locked, match=str(process.pid)), writer_lock(workspace, "apply"):
            pass
