"""Bots that only wait, and one thread that answers for those that are up: what an orchestrator sees of a fleet,
at next to no cost."""

from __future__ import annotations

import json
import selectors
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.host.generation import Generation, read_current
from engine.host.workspace import Workspace

DRAIN_S = 2
LEG = {
    "venue": "backpack",
    "account": "main",
    "market": "SOL_USDC",
    "ready": True,
    "orders": 6,
    "unresolved": 0,
    "fills": 12,
    "position": "0.5",
    "bid": "180.51",
    "ask": "180.58",
}
"""What an engine says of itself, as far as plans read it."""
STAND_IN = f"""#!/bin/sh
# Called like an engine: STATE_DIR BOT.
up="$1/up/$2"
echo $$ > "$up"
trap 'kill $!; sleep {DRAIN_S}; rm -f "$up"; exit 0' TERM
while :; do sleep 1000 & wait $!; done
"""


def write_stand_in(workspace: Workspace) -> Path:
    script = workspace.root / "stand-in"
    script.write_text(STAND_IN)
    script.chmod(0o755)
    (workspace.state / "up").mkdir()
    return script


@contextmanager
def answering(workspace: Workspace, names: Iterable[str]) -> Iterator[None]:
    """Somebody listens on every bot's control socket, and speaks while its process is up."""
    waiting, ended = selectors.DefaultSelector(), threading.Event()
    listeners = [_listen(workspace.control_socket(name)) for name in names]
    for listener, name in zip(listeners, names, strict=True):
        waiting.register(listener, selectors.EVENT_READ, name)
    thread = threading.Thread(target=_answer_all, args=(workspace, waiting, ended))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        for listener in listeners:
            listener.close()


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(32)
    return listener


def _answer_all(workspace: Workspace, waiting: selectors.BaseSelector, ended: threading.Event) -> None:
    generation: Generation | None = None
    while not ended.is_set():
        for key, _ in waiting.select(timeout=0.1):
            assert isinstance(key.fileobj, socket.socket)
            connection, _ = key.fileobj.accept()
            if generation is None or workspace.current.resolve().name != str(generation.number):
                generation = read_current(workspace)
            with connection, connection.makefile("rb") as lines:
                lines.readline()
                connection.sendall(json.dumps(_reply(workspace, key.data, generation)).encode() + b"\n")


def _reply(workspace: Workspace, name: str, generation: Generation | None) -> dict[str, object]:
    try:
        pid = int((workspace.state / "up" / name).read_text())
    except (FileNotFoundError, ValueError):
        return {"error": "it does not run"}
    if generation is None:
        return {"error": "nothing was applied"}
    return {
        "pid": pid,
        "state": "running",
        "fingerprint": generation.fingerprints[name],
        "generation": generation.number,
        "legs": {"main": LEG},
    }
