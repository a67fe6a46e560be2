"""Real sockets around a venue machine: HTTP and WebSocket on one loopback port, the real clock, and nothing else.

A raw ASGI application under uvicorn. Every socket has a bounded queue: a client that reads too slowly is dropped,
as real venues do, instead of growing the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from itertools import count
from typing import Any

import uvicorn

from engine.clock import NS_PER_S
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.sim.machine import (
    HttpAnswered,
    HttpReceived,
    Inbound,
    Outbound,
    SocketClosed,
    SocketDropped,
    SocketOpened,
    SocketReceived,
    SocketSent,
    VenueMachine,
)
from engine.transport.server import Server

SEND_QUEUE = 4_096
"""Frames that may wait for one socket before it is dropped."""
LARGEST_FRAME = 1 << 20
PING_EVERY_S = 60.0
KEEP_ALIVE_S = 120
CLOSE_SLOW, CLOSE_NORMAL = 1008, 1000
CLOSE_S = 1.0

log = logging.getLogger("sim")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Connection:
    """What waits to be sent to one WebSocket, and the task that sends it."""

    def __init__(self, send: Send) -> None:
        self.close_code: int | None = None
        self._waiting: asyncio.Queue[str] = asyncio.Queue(SEND_QUEUE)
        self.writer = asyncio.create_task(self._write(send))

    def put(self, text: str) -> bool:
        """False when the client is too slow."""
        if self._waiting.full():
            return False
        self._waiting.put_nowait(text)
        return True

    def drop(self, code: int) -> None:
        """Forget what waits and close; the writer may be stuck behind a client that does not read."""
        self.close_code = code
        self.writer.cancel()

    async def _write(self, send: Send) -> None:
        while True:
            await send({"type": "websocket.send", "text": await self._waiting.get()})


class Shell:
    """The ASGI application around one machine."""

    def __init__(self, machine: VenueMachine) -> None:
        self._machine = machine
        self._ids = count(1)
        self._answers: dict[int, asyncio.Future[HttpResponse]] = {}
        self._connections: dict[int, Connection] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._last_ns = 0

    @property
    def open_sockets(self) -> int:
        return len(self._connections)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(_target(scope), receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id, request = next(self._ids), await _read_request(scope, receive)
        answer = self._answers[request_id] = asyncio.get_running_loop().create_future()
        try:
            self._feed(HttpReceived(request_id=request_id, request=request))
            response = await answer
        finally:
            del self._answers[request_id]
        headers = [(name.encode(), value.encode()) for name, value in response.headers]
        headers.append((b"content-length", str(len(response.body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    async def _websocket(self, target: str, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        socket_id, connection = next(self._ids), Connection(send)
        self._connections[socket_id] = connection
        self._feed(SocketOpened(socket_id=socket_id, target=target))
        tasks = {asyncio.create_task(self._read(socket_id, receive)), connection.writer}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._connections.pop(socket_id, None)
            self._feed(SocketClosed(socket_id=socket_id))
        if connection.close_code is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await send({"type": "websocket.close", "code": connection.close_code})

    async def _read(self, socket_id: int, receive: Receive) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            text = message.get("text")
            if text is None:
                text = message.get("bytes", b"").decode(errors="replace")
            self._feed(SocketReceived(socket_id=socket_id, text=text))

    def _feed(self, message: Inbound) -> None:
        self._carry_out(self._machine.handle(message, self._now_ns()))

    def _wake(self) -> None:
        self._timer = None
        self._carry_out(self._machine.wake(self._now_ns()))

    def _now_ns(self) -> int:
        """The wall clock, never going back: that is what a machine is promised."""
        self._last_ns = max(self._last_ns, time.time_ns())
        return self._last_ns

    def _carry_out(self, messages: Iterable[Outbound]) -> None:
        for message in messages:
            match message:
                case HttpAnswered(request_id=request_id, response=response):
                    answer = self._answers.get(request_id)
                    if answer is not None and not answer.done():
                        answer.set_result(response)
                case SocketSent(socket_id=socket_id, text=text):
                    connection = self._connections.get(socket_id)
                    if connection is not None and connection.close_code is None and not connection.put(text):
                        log.warning("slow client dropped", extra={"facts": {"socket": socket_id}})
                        connection.drop(CLOSE_SLOW)
                case SocketDropped(socket_id=socket_id, code=code):
                    if socket_id in self._connections:
                        self._connections[socket_id].drop(code)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_ns = self._machine.next_wake_ns
        if due_ns is not None:
            delay_s = max(0, due_ns - self._now_ns()) / NS_PER_S
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._wake)

    def close_all(self) -> None:
        """Say goodbye to every socket."""
        for connection in self._connections.values():
            connection.drop(CLOSE_NORMAL)


def loopback_socket(port: int = 0) -> socket.socket:
    """A bound loopback port; 0 takes a free one."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


def urls(listener: socket.socket) -> tuple[str, str]:
    """(REST URL, WebSocket URL)."""
    port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/"


async def serve(
    machine: VenueMachine,
    listener: socket.socket,
    *,
    ready: Callable[[], None],
    stop: asyncio.Event,
    linger_s: float,
) -> None:
    """Serve until `stop`; then linger until clients are gone, so that engines can cancel their orders first."""
    shell = Shell(machine)
    server = Server(_config(shell))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not running.done():
        await asyncio.sleep(0.01)
    if server.started:
        ready()
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    await _linger(shell, linger_s)
    shell.close_all()
    server.should_exit = True
    await running


async def _linger(shell: Shell, linger_s: float) -> None:
    deadline_s = time.monotonic() + linger_s
    while shell.open_sockets and time.monotonic() < deadline_s:
        await asyncio.sleep(0.05)


def _config(shell: Shell) -> uvicorn.Config:
    return uvicorn.Config(
        shell,
        loop="asyncio",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=LARGEST_FRAME,
        ws_ping_interval=PING_EVERY_S,
        ws_ping_timeout=PING_EVERY_S,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=2,
    )


async def _read_request(scope: Scope, receive: Receive) -> HttpRequest:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
    return HttpRequest(method=scope["method"], target=_target(scope), headers=headers, body=body)


def _target(scope: Scope) -> str:
    """Path and query as the client wrote them."""
    target: str = scope["raw_path"].decode("latin-1")
    if scope["query_string"]:
        target += "?" + scope["query_string"].decode("latin-1")
    return target
