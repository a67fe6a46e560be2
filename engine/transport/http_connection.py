"""One kept-alive HTTP/1.1 connection, carrying one request at a time. Used by the pool in `http`.

The law of this file: once the first byte of a request was handed to the kernel, nothing but a whole reply
makes its outcome known (law 2). So an exchange that ends early is NotSent before that moment and Unresolved
after it, and nothing here ever sends a request a second time.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from engine.errors import NotSent, Unresolved
from engine.exchanges.messages import HttpResponse


class Exchange:
    """One request and the future of its reply; it ends exactly once."""

    __slots__ = ("payload", "reply", "sent")

    def __init__(self, payload: bytes, reply: asyncio.Future[HttpResponse]) -> None:
        self.payload = payload
        self.reply = reply
        self.sent = False

    def succeed(self, response: HttpResponse) -> None:
        if not self.reply.done():
            self.reply.set_result(response)

    def fail(self, why: str) -> None:
        if not self.reply.done():
            self.reply.set_exception(Unresolved(why) if self.sent else NotSent(why))


class Connection(asyncio.Protocol):
    """A socket to one origin. `freed` is called when it can carry again, `lost` when it never will."""

    def __init__(
        self,
        reply_limit_bytes: int,
        *,
        freed: Callable[[Connection], None],
        lost: Callable[[Connection], None],
    ) -> None:
        self._reply_limit_bytes = reply_limit_bytes
        self._freed = freed
        self._lost = lost
        self._exchange: Exchange | None = None
        self._parser = HttpResponseParser(self)
        self._readable = select.poll()
        self._received = 0
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []
        self._replies: list[HttpResponse] = []
        self._keep_alive = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._readable.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    @property
    def is_usable(self) -> bool:
        """False when the peer has closed or spoken out of turn, even if the loop has not noticed yet."""
        return not self._transport.is_closing() and not self._readable.poll(0)

    def carry(self, exchange: Exchange) -> None:
        """Write the request now; what follows comes through the exchange's future."""
        self._exchange = exchange
        self._received = 0
        exchange.reply.add_done_callback(self._reply_done)
        exchange.sent = True
        self._transport.write(exchange.payload)

    def abort(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._exchange is None:
            self._break("the peer spoke out of turn")
        elif self._received > self._reply_limit_bytes:
            self._break(f"the reply is longer than {self._reply_limit_bytes} bytes")
        else:
            self._parse(data)

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._break(f"the reply is not HTTP/1.1: {error}")
        else:
            if self._replies:
                self._finish()

    def connection_lost(self, error: Exception | None) -> None:
        self._break(f"the connection closed before the reply was whole ({error or 'by the peer'})")
        self._lost(self)

    # What the parser calls while it is fed.

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_body(self, data: bytes) -> None:
        self._body.append(data)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200:
            body = b"".join(self._body)
            self._replies.append(HttpResponse(status=status, headers=tuple(self._headers), body=body))
            self._keep_alive = self._parser.should_keep_alive()
        self._headers, self._body = [], []

    def _finish(self) -> None:
        """One reply, and nothing after it, leaves the connection fit for the next request."""
        exchange, self._exchange = self._exchange, None
        replies, self._replies = self._replies, []
        if exchange is not None:
            exchange.succeed(replies[0])
        if self._keep_alive and len(replies) == 1:
            self._freed(self)
        else:
            self._transport.abort()

    def _break(self, why: str) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.fail(why)
        self._transport.abort()

    def _reply_done(self, reply: asyncio.Future[HttpResponse]) -> None:
        """The exchange ended: by us, or by a time-out or its owner, and then a late reply must meet nobody."""
        if self._exchange is not None and self._exchange.reply is reply:
            self._exchange = None
            self._transport.abort()
