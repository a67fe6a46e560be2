"""Rounds of the monitor, over real sockets: nothing ends it, nobody waits for another, the unknown is not well."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from itertools import chain, repeat
from pathlib import Path

import pytest

from engine.control.alerts import teller
from engine.control.alerts.attempt import TOO_LONG
from engine.control.alerts.file import read_ledger
from engine.control.alerts.teller import Teller
from engine.control.metrics.snapshot import Snapshot
from engine.errors import StateDamaged
from engine.host.workspace import Workspace
from engine.spec.types import AlertsSpec, ChannelSpec, EmailSpec, SecretRef
from tests.control.heard import Heard
from tests.control.metrics.snapshots import snapshot

TRIP = "maker tripped: lost 50"
OPS = ChannelSpec(webhook=SecretRef(env="OPS"))
ODD = ChannelSpec(webhook=SecretRef(env="ODD"))
IMPOSSIBLE = ChannelSpec(email=EmailSpec(server="smtp://127.0.0.1:99999", sender="a@b", to=("c@d",)))


class Desk:
    """A monitor whose fleet is what a test says, and who is told by it."""

    def __init__(self, workspace: Workspace, heard: Heard) -> None:
        self.workspace = workspace
        self.heard = heard
        self.channels = {"ops": OPS}
        self.look: Callable[[], Snapshot] = lambda: snapshot(statuses=(), trips={"maker": "lost 50"})
        heard.answer = 200
        self.teller = Teller(workspace, "demo", lambda: self.look())
        self.secrets()

    def secrets(self, odd: str = "") -> None:
        self.workspace.env_file.write_text(f"OPS={self.heard.url}/hook\nODD={odd}\n")
        self.workspace.env_file.chmod(0o600)

    def round(self) -> list[str]:
        """What people read afterwards that they did not before, without subjects."""
        before = len(self.heard.told)
        beat = SecretRef(env="OPS")
        rules = {"for_s": Decimal(0), "repeat_s": None, "heartbeat_s": Decimal(0)}
        self.teller.round(AlertsSpec(channels=self.channels, heartbeat=beat, **rules))
        return [line for _, _, body in self.heard.told[before:] for line in body["text"].splitlines()[1:]]


@pytest.fixture
def desk(tmp_path: Path, heard: Heard) -> Desk:
    workspace = Workspace(root=tmp_path)
    workspace.state.mkdir()
    return Desk(workspace, heard)


@contextmanager
def endless(head: bytes) -> Iterator[str]:
    """A server that begins its answer and never ends it."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(65_536)
                for drop in chain([head], repeat(b"x")):
                    connection.sendall(drop)
                    if ended.wait(0.01):
                        return

        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        ended.set()


def test_what_is_wrong_is_told_once_and_there_is_a_sign_of_life(desk: Desk) -> None:
    assert (desk.round(), desk.round()) == ([f"new: {TRIP}"], [])
    assert desk.heard.asked == ["/hook", "/hook"]


@pytest.mark.parametrize(
    "error",
    [StateDamaged("applied state cannot be trusted"), PermissionError(13, "Permission denied"), KeyError("x")],
)
def test_who_cannot_look_says_so_and_calls_nothing_over(desk: Desk, error: Exception) -> None:
    desk.round()
    seeing, beats = desk.look, len(desk.heard.asked)

    def damaged() -> Snapshot:
        raise error

    desk.look = damaged
    (line,) = desk.round()
    assert line.startswith("new: nobody can tell how the fleet stands: ")
    assert desk.round() == []
    assert len(desk.heard.asked) == beats, "no sign of life from who sees nothing"
    desk.look = seeing
    (line,) = desk.round()
    assert line.startswith("over: nobody can tell")


def test_a_channel_that_drips_delays_no_other_and_is_not_asked_twice_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teller, "TELLING_S", 0.5)
    desk.channels = {"a-slow-one": ODD, "ops": OPS}
    with endless(b"HTTP/1.1 200 OK\r\nX-Long: ") as address:
        desk.secrets(odd=address)
        assert desk.round() == [f"new: {TRIP}"]
        assert read_ledger(desk.workspace).failing == {"a-slow-one": TOO_LONG}
        assert desk.round() == []
        (left,) = (thread for thread in threading.enumerate() if "_try" in thread.name)
        assert left.daemon, "it must not keep the process alive"


def test_an_answer_that_never_ends_has_been_given(desk: Desk) -> None:
    desk.channels = {"odd": ODD}
    with endless(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n") as address:
        desk.secrets(odd=address)
        desk.round()
    ledger = read_ledger(desk.workspace)
    assert (ledger.failing, ledger.told["odd"].keys()) == ({}, {"trip/maker"})


def test_a_channel_that_nobody_foresaw_to_fail_keeps_no_other_from_telling(desk: Desk) -> None:
    desk.channels = {"impossible": IMPOSSIBLE, "ops": OPS}
    assert desk.round() == [f"new: {TRIP}"]
    assert read_ledger(desk.workspace).failing == {"impossible": "it failed: ValueError"}


def test_what_cannot_be_written_down_is_told_once_and_that_too(desk: Desk) -> None:
    desk.workspace.alerts.mkdir()
    assert desk.round() == [f"new: {TRIP}"]
    (line,) = desk.round()
    assert line.startswith("new: who was told what cannot be written down")
    desk.workspace.alerts.rmdir()
    assert desk.round() == []
    assert read_ledger(desk.workspace).told["ops"].keys() >= {"trip/maker"}
    (line,) = desk.round()
    assert line.startswith("over: who was told what")


@pytest.mark.parametrize("content", [b"", b"\0\0", b'{"told": {"\xff": {}}}', b'{"active": []}'])
def test_a_damaged_memory_tells_what_goes_on_again(desk: Desk, content: bytes) -> None:
    desk.workspace.alerts.write_bytes(content)
    again = Teller(desk.workspace, "demo", lambda: desk.look())
    desk.teller = again
    assert desk.round() == [f"new: {TRIP}"]


def test_a_restart_tells_nobody_again(desk: Desk) -> None:
    desk.round()
    desk.teller.rest()
    desk.teller = Teller(desk.workspace, "demo", lambda: desk.look())
    assert desk.round() == []
