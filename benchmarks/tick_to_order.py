"""From a change of the book to a signed order: the engine beside websockets + json + httpx. See README.md here."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.tick_engine import engine_client
from benchmarks.tick_peer import peer_client
from engine.exchanges.interface import Endpoints

ROUNDS = 5
WARM_UP_TICKS = 50
TICKS = 400
LINE_LIMIT = 1 << 20

Client = Callable[[Endpoints, list[float]], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class Round:
    """Medians and the mean CPU time of one run, all in µs per change."""

    at_server_us: float
    cpu_us: float
    in_hand_us: float


class TickServer:
    """The venue, in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, rest_port: int, ws_port: int) -> None:
        self._process = process
        self._rest_port = rest_port
        self._ws_port = ws_port

    @classmethod
    async def start(cls) -> TickServer:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.tick_server"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT,
        )
        assert process.stdout is not None
        return cls(process, *json.loads(await process.stdout.readline()))

    def endpoints(self, path: str) -> Endpoints:
        return Endpoints(
            rest_url=f"http://127.0.0.1:{self._rest_port}", ws_url=f"ws://127.0.0.1:{self._ws_port}{path}"
        )

    async def play(self, path: str, ticks: int) -> list[float]:
        """Let it push that many changes; the latencies it saw."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{path} {ticks}\n".encode())
        latencies: list[float] = json.loads(await self._process.stdout.readline())
        return latencies

    async def stop(self) -> None:
        with suppress(ProcessLookupError):
            self._process.terminate()
        await self._process.wait()


async def measure(server: TickServer, client: Client, path: str) -> Round:
    """One client, connected anew: some changes to warm up, then those that count."""
    times_us: list[float] = []
    async with client(server.endpoints(path), times_us):
        await server.play(path, WARM_UP_TICKS)
        times_us.clear()
        began_ns = time.process_time_ns()
        latencies = await server.play(path, TICKS)
        cpu_us = (time.process_time_ns() - began_ns) / 1000 / TICKS
    if len(latencies) < TICKS * 0.9:
        raise SystemExit(f"{path}: only {len(latencies)} of {TICKS} changes were answered")
    return Round(at_server_us=median(latencies), cpu_us=cpu_us, in_hand_us=median(times_us))


async def compare(folder: Path) -> tuple[list[Round], list[Round]]:
    """Both clients in turn, so that whatever else the machine does hits both."""
    server = await TickServer.start()
    engine: list[Round] = []
    peer: list[Round] = []
    try:
        for number in range(ROUNDS):
            bot = partial(engine_client, folder / str(number))
            engine.append(await measure(server, bot, f"/engine{number}"))
            peer.append(await measure(server, peer_client, f"/peer{number}"))
    finally:
        await server.stop()
    return engine, peer


def report(engine: list[Round], peer: list[Round]) -> None:
    figures: dict[str, Callable[[Round], float]] = {
        "p50 seen by the server": lambda one: one.at_server_us,
        "CPU per change": lambda one: one.cpu_us,
        "p50 message to signed bytes": lambda one: one.in_hand_us,
    }
    print(f"tick to order, medians of {ROUNDS} rounds of {TICKS} changes, Python {sys.version.split()[0]}")
    print(f"{'µs':<30}{'engine':>9}{'peer':>9}{'ratio':>9}")
    for name, figure in figures.items():
        ours, theirs = median(map(figure, engine)), median(map(figure, peer))
        print(f"{name:<30}{ours:9.0f}{theirs:9.0f}{ours / theirs:9.2f}")


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="botctl-bench-") as folder:
        report(*asyncio.run(compare(Path(folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
