"""Serves a fleet's metrics for as long as they are wanted; for the verb and the program alike."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable

import uvicorn

from engine.control.fleet import View
from engine.control.metrics.place import address_of, is_loopback
from engine.control.metrics.site import Site
from engine.control.metrics.snapshot import take_snapshot
from engine.errors import Unavailable
from engine.spec.types import MetricsSpec
from engine.transport.server import Server

LOOK_S = 1.0
"""How often the settings are looked at."""
AGAIN_S = 5.0
"""After which an address that is taken is tried again."""
REQUESTS_AT_ONCE = 16
KEEP_ALIVE_S = 30

log = logging.getLogger("engine.control.metrics")

Settings = Callable[[], MetricsSpec | None]


async def serve(
    fleet: View, settings: Settings, stop: asyncio.Event, *, tell: Callable[[str], None], is_patient: bool
) -> None:
    """Until `stop`; other settings are taken up at once, and without any it is quiet. An address that is taken is
    Unavailable; who is patient tries again."""
    while not stop.is_set():
        if (spec := settings()) is None:
            await wait_for(stop, LOOK_S)
            continue
        try:
            listener = _listener(spec)
        except Unavailable as error:
            if not is_patient:
                raise
            log.warning("cannot listen", extra={"facts": {"why": error.message}})
            await wait_for(stop, AGAIN_S)
            continue
        async with _serving(fleet, spec, listener):
            tell(address_of(spec))
            while not stop.is_set() and settings() == spec:
                await wait_for(stop, LOOK_S)


def _listener(spec: MetricsSpec) -> socket.socket:
    """Unavailable when the address is taken, or not one of this host."""
    family = socket.AF_INET6 if ":" in spec.host else socket.AF_INET
    try:
        return socket.create_server((spec.host, spec.port), family=family)
    except OSError as error:
        raise Unavailable(
            f"cannot listen at {spec.host}:{spec.port}: {error.strerror or error}", hint="choose another port"
        ) from error


@contextlib.asynccontextmanager
async def _serving(fleet: View, spec: MetricsSpec, listener: socket.socket) -> AsyncIterator[None]:
    site = Site(lambda: take_snapshot(fleet), only_loopback=is_loopback(spec.host))
    server = Server(
        uvicorn.Config(
            site,
            loop="asyncio",
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=REQUESTS_AT_ONCE,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=2,
        )
    )
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await running
        listener.close()


async def wait_for(stop: asyncio.Event, wait_s: float) -> None:
    """Wait, or until `stop`."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), wait_s)
