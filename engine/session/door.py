"""Where a session's requests leave: it knows the venue's address and counts what goes out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from engine.errors import NotSent
from engine.exchanges.interface import Endpoints
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.transport.pacing import Pace
from engine.transport.world import World


class Sender(Protocol):
    """A way out for requests."""

    def send(self, request: HttpRequest, *, timeout_s: float, charge: int) -> asyncio.Future[HttpResponse]: ...


class Door:
    """The address is asked for at every connect and remembered in between, so that no order waits for a file."""

    def __init__(self, world: World, endpoints_of: Callable[[], Endpoints], pace: Pace) -> None:
        self._world = world
        self._endpoints_of = endpoints_of
        self._pace = pace
        self._endpoints: Endpoints | None = None

    def find_venue(self) -> None:
        """Ask again where the venue listens; Unavailable when nobody knows."""
        self._endpoints = self._endpoints_of()

    def send(self, request: HttpRequest, *, timeout_s: float, charge: int = 1) -> asyncio.Future[HttpResponse]:
        """Write the request now; as `World.http`, and NotSent while the venue's address is unknown. `charge` is
        what the venue counts it as."""
        if self._endpoints is None:
            reply = asyncio.get_running_loop().create_future()
            reply.set_exception(NotSent("the venue's address is not known yet"))
            return reply
        self._pace.spent(charge, self._world.monotonic_ns())
        return self._world.http(self._endpoints.rest_url, request, timeout_s=timeout_s)
