"""Bytes as messages to a venue: how the fuzzer says which decoder of which venue gets what.

Three bytes choose the venue's market, what is decoded and the HTTP status; the rest is the message.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from engine.exchanges.interface import Codec
from engine.exchanges.messages import HttpResponse
from engine.exchanges.registry import venue_names
from engine.testing.contract import take_frame, take_reply
from engine.testing.garbage import STATUSES
from tests.exchanges import samples

CHOICES = 3
COMMANDS = tuple(samples.COMMANDS | samples.SWITCHES)
FRAME = len(COMMANDS)
"""Stands where a command's number would: the message is a WebSocket frame."""


def all_codecs() -> list[tuple[str, str, Codec]]:
    """(venue, leg, codec) of every market there are samples of."""
    return [(name, leg, codec) for name in venue_names() for leg, codec in samples.codecs(name).items()]


def deliver(codecs: list[tuple[str, str, Codec]], data: bytes) -> None:
    """Decode one message; raises whatever the contract does not allow."""
    if len(data) < CHOICES:
        return
    venue, _, codec = codecs[data[0] % len(codecs)]
    what, message = data[1] % (FRAME + 1), data[CHOICES:]
    if what == FRAME:
        take_frame(codec, message)
        codec.answer_frame(message)
        return
    response = HttpResponse(status=STATUSES[data[2] % len(STATUSES)], body=message)
    if (command := samples.commands(venue).get(COMMANDS[what])) is not None:
        take_reply(codec, command, response)


def corpus(codecs: list[tuple[str, str, Codec]]) -> Iterator[bytes]:
    """Every golden frame and reply, as the fuzzer would say it."""
    for at, (venue, leg, _) in enumerate(codecs):
        for frame_leg, frame in samples.frames(venue):
            if frame_leg == leg:
                yield bytes((at, FRAME, 0)) + json.dumps(frame).encode()
        for reply_leg, command, response in samples.replies(venue):
            if reply_leg == leg and response.status in STATUSES:
                number = next(i for i, name in enumerate(COMMANDS) if samples.commands(venue).get(name) is command)
                yield bytes((at, number, STATUSES.index(response.status))) + response.body
