"""An ASGI application: `/metrics` for Prometheus, `/healthz` for whoever only asks whether somebody is needed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder

from engine.control.metrics.families import families
from engine.control.metrics.place import is_loopback
from engine.control.metrics.snapshot import Snapshot
from engine.errors import BotctlError

FRESH_S = 1.0
"""A fleet is looked at once for all who ask within this time."""
JSON, TEXT = "application/json", "text/plain; charset=utf-8"

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Answer(NamedTuple):
    """An HTTP response."""

    status: int
    content_type: str
    body: bytes


class Site:
    """`look` may take seconds and runs beside the loop, one at a time. `only_loopback` refuses requests that were
    addressed to another name: a page in somebody's browser may have made its own name lead here."""

    def __init__(self, look: Callable[[], Snapshot], *, only_loopback: bool) -> None:
        self._look = look
        self._only_loopback = only_loopback
        self._turn = asyncio.Lock()
        self._seen: tuple[float, Snapshot] | None = None

    async def __call__(self, scope: Scope, _receive: object, send: Send) -> None:
        if scope["type"] != "http":
            return
        answer = await self._answer(scope)
        headers = [(b"content-type", answer.content_type.encode()), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope) -> Answer:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if self._only_loopback and not is_loopback(urlsplit(f"//{headers.get('host', '')}").hostname or ""):
            return Answer(403, TEXT, b"this address answers on loopback only\n")
        if scope["method"] not in ("GET", "HEAD"):
            return Answer(405, TEXT, b"only GET\n")
        if scope["path"] not in ("/metrics", "/healthz"):
            return Answer(404, TEXT, b"/metrics or /healthz\n")
        try:
            snapshot = await self._snapshot()
        except BotctlError as error:
            return Answer(503, TEXT, f"{error.message}\n".encode())
        return health(snapshot) if scope["path"] == "/healthz" else metrics(snapshot, headers.get("accept", ""))

    async def _snapshot(self) -> Snapshot:
        async with self._turn:
            if self._seen is None or time.monotonic() - self._seen[0] > FRESH_S:
                snapshot = await asyncio.to_thread(self._look)
                self._seen = (time.monotonic(), snapshot)
            return self._seen[1]


def metrics(snapshot: Snapshot, accept: str = "") -> Answer:
    """In the text format that is asked for: Prometheus' own, or OpenMetrics."""
    encode, content_type = choose_encoder(accept)
    body: bytes = encode(_Collected(snapshot))
    return Answer(200, content_type, body)


def health(snapshot: Snapshot) -> Answer:
    """200 while nobody is needed, else 503, with every bot that somebody should look at."""
    needed = {bot.name: {"state": bot.state, "why": bot.why} for bot in snapshot.statuses if not bot.is_calm}
    ended = sorted(name for name, is_up in snapshot.companions.items() if not is_up)
    is_healthy = not needed and not ended and snapshot.supervisor_answers
    told = {
        "healthy": is_healthy,
        "supervisor_answers": snapshot.supervisor_answers,
        "companions_down": ended,
        "bots": needed,
    }
    return Answer(200 if is_healthy else 503, JSON, json.dumps(told).encode() + b"\n")


class _Collected:
    """A registry, as far as encoders look at one."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        return families(self._snapshot)
