"""A bot's engine without a bot: it reads its generation, answers on its control socket, and stops when told.

Called like the real one: STATE_DIR BOT. The file `<state>/fake/<bot>` changes how it behaves: `exit 4` ends at
once, `silent` never answers, `stubborn` ignores SIGTERM.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engine.host.generation import read_current
from engine.host.process import die_with_parent
from engine.host.workspace import workspace_of_state

state, name = Path(sys.argv[1]), sys.argv[2]
place = workspace_of_state(state)


def behaviour() -> str:
    file = state / "fake" / name
    return file.read_text().strip() if file.exists() else ""


def fingerprint() -> tuple[str, int]:
    generation = read_current(place)
    assert generation is not None
    return generation.fingerprints[name], generation.number


def main() -> None:
    kind = behaviour()
    if kind.startswith("exit"):
        raise SystemExit(int(kind.split()[1]))
    die_with_parent()
    ended = False

    def end(*_: object) -> None:
        nonlocal ended
        ended = True

    signal.signal(signal.SIGTERM, signal.SIG_IGN if kind == "stubborn" else end)
    runs, number = fingerprint()
    path = place.control_socket(name)
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(0.05)
        while not ended:
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection, connection.makefile("rb") as lines:
                request = json.loads(lines.readline())
                verb = request["verb"]
                if verb == "reload":
                    runs, number = fingerprint()
                if verb == "stop":
                    ended = True
                    (state / "told").mkdir(exist_ok=True)
                    (state / "told" / name).write_text(json.dumps(request["arguments"]))
                if kind == "silent":
                    time.sleep(0.2)
                    continue
                leg = {
                    "venue": "backpack",
                    "account": "main",
                    "market": "SOL_USDC_PERP",
                    "ready": True,
                    "orders": 2,
                }
                leg |= {"unresolved": 0, "fills": 1, "position": "0.5"}
                reply = {"pid": os.getpid(), "state": "running", "fingerprint": runs, "generation": number}
                connection.sendall(json.dumps({**reply, "legs": {"main": leg}}).encode() + b"\n")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    path.unlink(missing_ok=True)


main()
