"""A bot's engine without a bot: it reads its generation, answers on its control socket, and stops when told.

Called like the real one: STATE_DIR BOT. The file `<state>/fake/<bot>` changes how it behaves: `exit 4` ends at
once, `silent` never answers, `stubborn` ignores SIGTERM, `drain 2` takes two seconds to stop; `quiet` has no
orders, `rejected` and `losing` do badly. `at 12 WHAT` does so only while its settings say spread_bps 12. What it
lives through is written to `<state>/told/journal`: start, change, drain, end.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

# Told to stop before it began: as the real one, it has nothing to wind up. Before the imports, which take a while.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engine.host.generation import read_current  # noqa: E402 - the handler comes first
from engine.host.process import die_with_parent  # noqa: E402 - the handler comes first
from engine.host.workspace import workspace_of_state  # noqa: E402 - the handler comes first

state, name = Path(sys.argv[1]), sys.argv[2]
place = workspace_of_state(state)


def behaviour(spread_bps: object) -> str:
    file = state / "fake" / name
    kind = file.read_text().strip() if file.exists() else ""
    if kind.startswith("at "):
        _, spread, kind = kind.split(maxsplit=2)
        return kind if str(spread_bps) == spread else ""
    return kind


def settings() -> tuple[str, int, dict[str, object]]:
    generation = read_current(place)
    assert generation is not None
    return generation.fingerprints[name], generation.number, generation.bots[name].strategy.parameters


def journal(what: str, facts: dict[str, object]) -> None:
    (state / "told").mkdir(exist_ok=True)
    line = f"{what} {name} {facts.get('spread_bps')} {facts.get('order_size')}\n"
    with (state / "told" / "journal").open("a") as file:
        file.write(line)


def main() -> None:
    runs, number, facts = settings()
    kind = behaviour(facts.get("spread_bps"))
    if kind.startswith("exit"):
        raise SystemExit(int(kind.split()[1]))
    journal("start", facts)
    die_with_parent()
    ended = False

    def end(*_: object) -> None:
        nonlocal ended
        ended = True

    signal.signal(signal.SIGTERM, signal.SIG_IGN if kind == "stubborn" else end)
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
                    runs, number, facts = settings()
                    kind = behaviour(facts.get("spread_bps"))
                    journal("change", facts)
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
                    "orders": 0 if kind == "quiet" else 2,
                }
                leg |= {"unresolved": 0, "fills": 1, "position": "0.5"}
                lost = int(time.monotonic() * 1000) if kind == "losing" else 0
                risk = {"net_pnl": str(-lost), "rejects_in_a_row": 9 if kind == "rejected" else 0}
                reply = {"pid": os.getpid(), "state": "running", "fingerprint": runs, "generation": number}
                reply |= {"legs": {"main": leg}, "risk": risk}
                connection.sendall(json.dumps(reply).encode() + b"\n")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    path.unlink(missing_ok=True)
    if kind.startswith("drain"):
        journal("drain", facts)
        time.sleep(float(kind.split()[1]))
    journal("end", facts)


main()
