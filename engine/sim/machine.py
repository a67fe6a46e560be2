"""A simulated venue without sockets: messages and time in, messages out.

`server` puts real sockets around one; `world` puts it in one process with a bot, in virtual time.
"""

from __future__ import annotations

from typing import Protocol

from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.model.value import Value


class HttpReceived(Value, frozen=True, kw_only=True):
    request_id: int
    request: HttpRequest


class SocketOpened(Value, frozen=True, kw_only=True):
    """`target` is path and query of the address the client connected to."""

    socket_id: int
    target: str = "/"


class SocketReceived(Value, frozen=True, kw_only=True):
    socket_id: int
    text: str


class SocketClosed(Value, frozen=True, kw_only=True):
    socket_id: int


Inbound = HttpReceived | SocketOpened | SocketReceived | SocketClosed


class HttpAnswered(Value, frozen=True, kw_only=True):
    """The answer to `request_id`; it may come later than the request (speed bump, slow venue)."""

    request_id: int
    response: HttpResponse


class SocketSent(Value, frozen=True, kw_only=True):
    socket_id: int
    text: str


class SocketDropped(Value, frozen=True, kw_only=True):
    socket_id: int
    code: int


Outbound = HttpAnswered | SocketSent | SocketDropped


class VenueMachine(Protocol):
    """Deterministic: the same messages at the same times give the same answers. Reads no clock."""

    def handle(self, message: Inbound, now_ns: int) -> list[Outbound]:
        """Take one message at an instant that never lies before an earlier one."""
        ...

    def wake(self, now_ns: int) -> list[Outbound]:
        """Do what is due up to now: market flow, delayed orders, once-a-second streams, funding."""
        ...

    @property
    def next_wake_ns(self) -> int | None:
        """When `wake` is due next; None when nothing is."""
        ...
