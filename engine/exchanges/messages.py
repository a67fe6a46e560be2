"""What travels between a codec and a transport: HTTP and WebSocket at message level, as values."""

from __future__ import annotations

from engine.model.value import Value


class HttpRequest(Value, frozen=True, kw_only=True):
    """One request, ready to send. `target` is path and query (`/api/v1/order?symbol=SOL_USDC`)."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class HttpResponse(Value, frozen=True, kw_only=True):
    """One answer; header names are lower case."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Stream(Value, frozen=True, kw_only=True):
    """One WebSocket to keep open: where, what to say once connected, and what hangs on it.

    `frames` are signed for the moment of connecting, so streams are made anew for every connection.
    A `private` stream carries own orders: its loss is LegDisconnected. A public one carries the book:
    its loss is BookLost. `silence_limit_s` is how long no frame at all may arrive before the socket
    counts as dead (None: the venue may be silent for long, pings decide).
    """

    name: str
    url: str
    frames: tuple[str, ...]
    private: bool
    silence_limit_s: float | None = None
    heartbeat: str | None = None
    """A frame to send every `heartbeat_s`, where the venue wants to hear from us."""
    heartbeat_s: float = 30.0
    good_for_s: float | None = None
    """After how long it is opened anew, where what it was opened with ends."""
