"""Which socket listens to which stream. Ordered, so that two runs send in the same order; bounded per socket."""

from __future__ import annotations

from collections.abc import Iterator

from engine.model.value import Value

STREAMS_PER_SOCKET = 500

Key = tuple[str, str]
"""(stream name, account): the account is empty for public streams."""


class StreamName(Value, frozen=True, kw_only=True):
    """A venue's stream, taken apart by the venue. `symbol` is empty for streams over all markets; `window_ms`,
    `levels` and `interval` belong to depth and candles."""

    text: str
    kind: str
    symbol: str = ""
    window_ms: int = 0
    levels: int = 0
    interval: str = ""


class Subscriptions:
    def __init__(self) -> None:
        self._sockets: dict[int, dict[Key, None]] = {}
        self._listeners: dict[Key, dict[int, None]] = {}
        self._names: dict[str, StreamName] = {}

    def open(self, socket_id: int) -> None:
        self._sockets[socket_id] = {}

    def close(self, socket_id: int) -> None:
        for key in list(self._sockets.get(socket_id, {})):
            self._remove(socket_id, key)
        self._sockets.pop(socket_id, None)

    def add(self, socket_id: int, name: StreamName, account: str) -> bool:
        """Whether the stream is new to this socket."""
        streams = self._sockets.get(socket_id)
        key = (name.text, account)
        if streams is None or key in streams or len(streams) >= STREAMS_PER_SOCKET:
            return False
        streams[key] = None
        self._listeners.setdefault(key, {})[socket_id] = None
        self._names[name.text] = name
        return True

    def remove(self, socket_id: int, stream: str) -> None:
        """End a stream of a socket, whichever account it was for."""
        for key in [key for key in self._sockets.get(socket_id, {}) if key[0] == stream]:
            self._remove(socket_id, key)

    def listeners(self, stream: str, account: str = "") -> tuple[int, ...]:
        return tuple(self._listeners.get((stream, account), ()))

    def names(self, kind: str) -> Iterator[StreamName]:
        """The streams of a kind that anybody listens to."""
        return (name for name in list(self._names.values()) if name.kind == kind)

    def _remove(self, socket_id: int, key: Key) -> None:
        del self._sockets[socket_id][key]
        del self._listeners[key][socket_id]
        if not self._listeners[key]:
            del self._listeners[key]
            if not any(stream == key[0] for stream, _ in self._listeners):
                del self._names[key[0]]
