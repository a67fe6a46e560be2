"""A venue's codec with nothing but what is public, so that a session can listen to a market without an account."""

from __future__ import annotations

from collections.abc import Sequence

from engine.exchanges.interface import Codec, Context, TapeCodec
from engine.exchanges.messages import HttpRequest, HttpResponse, Stream
from engine.model.commands import Command
from engine.model.events import Event


class PublicCodec:
    """See `engine.exchanges.interface.Codec`. Hears the book and the trades; asks only for what needs no keys."""

    gate = None
    nonce_source = None

    def __init__(self, codec: Codec, tape: TapeCodec) -> None:
        """`tape`: the same codec, as what it has to be besides."""
        self.instrument = codec.instrument
        self._codec = codec
        self._tape = tape

    def streams(self, _context: Context) -> tuple[Stream, ...]:
        return (self._tape.tape_stream(),)

    def encode(self, command: Command, context: Context) -> HttpRequest:
        return self._codec.encode(command, context)

    def decode_reply(
        self, command: Command, response: HttpResponse, *, requested_ns: int, at_ns: int
    ) -> Sequence[Event]:
        return self._codec.decode_reply(command, response, requested_ns=requested_ns, at_ns=at_ns)

    def decode_frame(self, text: str | bytes, *, at_ns: int) -> Sequence[Event]:
        return self._codec.decode_frame(text, at_ns=at_ns)

    def answer_frame(self, text: str | bytes) -> str | None:
        return self._codec.answer_frame(text)
