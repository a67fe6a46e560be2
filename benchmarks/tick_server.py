"""The venue of `tick_to_order`: pushes book changes, waits for the order each leads to, and keeps the time.

A program of its own, so that its work is nobody else's CPU time. It speaks as much Backpack as the engine's
session needs; every order is answered as cancelled, so that the next change meets an empty slot again. On stdin it
is told `<stream> <ticks>`, and on stdout it answers with the latencies of that run, in microseconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import suppress
from typing import Any

from httptools import HttpRequestParser
from websockets.asyncio.server import ServerConnection, serve

SYMBOL = "SOL_USDC"
PAUSE_S = 0.001
PATIENCE_S = 0.5
BIDS = ("141.00", "141.10")
"""The two prices between which the best bid moves to and fro."""


class Tape:
    """The book, and the clock of the change that is waiting for its order."""

    def __init__(self) -> None:
        self.update_id = 100
        self.ordered = asyncio.Event()
        self._bid = 0
        self._sent_s = 0.0
        self.latency_us = 0.0

    def change(self) -> str:
        """The next change: the best bid moves to the other price."""
        self.update_id += 1
        gone, self._bid = self._bid, 1 - self._bid
        bids = [[BIDS[gone], "0"], [BIDS[self._bid], "12.5"]]
        now_us = time.time_ns() // 1000
        data = {"e": "depth", "E": now_us, "s": SYMBOL, "a": [], "b": bids, "U": self.update_id}
        return json.dumps({"stream": f"depth.{SYMBOL}", "data": {**data, "u": self.update_id, "T": now_us}})

    def snapshot(self) -> dict[str, Any]:
        bids, asks = [["140.00", "5"], [BIDS[self._bid], "12.5"]], [["141.20", "5"], ["142.00", "5"]]
        return {"asks": asks, "bids": bids, "lastUpdateId": str(self.update_id), "timestamp": 1}

    def start_clock(self) -> None:
        self.ordered.clear()
        self._sent_s = time.perf_counter()

    def stop_clock(self) -> None:
        self.latency_us = (time.perf_counter() - self._sent_s) * 1e6
        self.ordered.set()


class Http(asyncio.Protocol):
    """One kept-alive connection; answers at once."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._parser = HttpRequestParser(self)
        self._url = self._body = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url, self._body = url, b""

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        path = self._url.decode().split("?")[0]
        if self._parser.get_method() == b"POST":
            self._tape.stop_clock()
            reply: Any = _cancelled(json.loads(self._body))
        elif path == "/api/v1/depth":
            reply = self._tape.snapshot()
        elif path == "/api/v1/time":
            reply = time.time_ns() // 1_000_000
        else:
            reply = {} if path == "/api/v1/capital" else []
        body = json.dumps(reply).encode()
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


def _cancelled(order: dict[str, Any]) -> dict[str, Any]:
    done = {"id": str(time.time_ns()), "status": "Cancelled", "executedQuantity": "0", "createdAt": 1}
    return {**order, **done, "timeInForce": "GTC", "executedQuoteQuantity": "0"}


class Streams:
    """The newest socket of each path; the engine opens a second one for its account, which stays silent."""

    def __init__(self) -> None:
        self._by_path: dict[str, ServerConnection] = {}

    async def accept(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        async for frame in socket:
            if "signature" not in json.loads(frame):
                self._by_path[socket.request.path] = socket

    async def play(self, tape: Tape, path: str, ticks: int) -> list[float]:
        """Push that many changes, one after the other's order; the latency of each."""
        while path not in self._by_path:
            await asyncio.sleep(0.01)
        socket, latencies = self._by_path.pop(path), []
        for _ in range(ticks):
            frame = tape.change()
            tape.start_clock()
            await socket.send(frame)
            with suppress(TimeoutError):  # A client that was not ready yet misses this one.
                await asyncio.wait_for(tape.ordered.wait(), PATIENCE_S)
                latencies.append(tape.latency_us)
            await asyncio.sleep(PAUSE_S)
        self._by_path[path] = socket
        return latencies


async def main() -> None:
    tape, streams, loop = Tape(), Streams(), asyncio.get_running_loop()
    http = await loop.create_server(lambda: Http(tape), "127.0.0.1", 0)
    async with serve(streams.accept, "127.0.0.1", 0, compression=None) as sockets:
        ports = [server.sockets[0].getsockname()[1] for server in (http, sockets.server)]
        print(json.dumps(ports), flush=True)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            path, ticks = line.split()
            print(json.dumps(await streams.play(tape, path, int(ticks))), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
