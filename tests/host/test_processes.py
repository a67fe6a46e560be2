from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.errors import BotctlError, Unavailable
from engine.host.control_client import call, call_all
from engine.host.process import is_alive

CHILD = "from engine.host.process import die_with_parent; die_with_parent(); print('tied', flush=True); input()"
PARENT = f"""
import subprocess, sys
pipe = subprocess.PIPE
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}], stdin=pipe, stdout=pipe, text=True)
child.stdout.readline()
print(child.pid, flush=True)
input()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a child of its parent's death")
def test_a_tied_process_gets_sigterm_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    child = int(parent.stdout.readline())
    watch = os.pidfd_open(child)
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    assert select.select([watch], [], [], 10)[0], "the child lives on"
    os.close(watch)


def test_a_dead_process_is_told_from_a_living_one() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert is_alive(os.getpid())
    assert not is_alive(child.pid)


def answer_once(path: Path, reply: bytes) -> threading.Thread:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def serve() -> None:
        connection, _ = server.accept()
        connection.recv(4096)
        connection.sendall(reply)
        connection.close()
        server.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


def test_a_call_returns_the_engine_s_object(sockets: Path) -> None:
    answer_once(sockets / "a.sock", json.dumps({"state": "running"}).encode() + b"\n")
    assert call(sockets / "a.sock", "status") == {"state": "running"}


def test_an_error_reply_is_raised_with_its_words_and_hint(sockets: Path) -> None:
    answer_once(sockets / "a.sock", b'{"error": "cannot", "hint": "do this"}\n')
    with pytest.raises(BotctlError, match="cannot") as refusal:
        call(sockets / "a.sock", "reload")
    assert refusal.value.hint == "do this"


@pytest.mark.parametrize("reply", [b"", b"garbage\n", b"[1]\n"])
def test_no_answer_and_garbage_are_unavailable(sockets: Path, reply: bytes) -> None:
    answer_once(sockets / "a.sock", reply)
    with pytest.raises(Unavailable):
        call(sockets / "a.sock", "status")


def test_a_socket_nobody_listens_on_is_unavailable(sockets: Path) -> None:
    with pytest.raises(Unavailable, match="no answer to 'status' from a"):
        call(sockets / "a.sock", "status")


def test_asking_many_gives_each_its_own_answer_or_error(sockets: Path) -> None:
    answer_once(sockets / "a.sock", b'{"state": "running"}\n')
    replies = call_all({"a": sockets / "a.sock", "b": sockets / "b.sock"}, "status")
    assert replies["a"] == {"state": "running"}
    assert isinstance(replies["b"], Unavailable)
