"""The recording of a market as a file: `recorder` makes the lines, `recorded_flow` and `calibrate` read them.

A recording is text, one message a line: receive time in ns, a space, and the JSON of a `depth`, `bookTicker` or
`trade` stream or of a depth snapshot (the format of hftbacktest's Binance futures examples). One kind of message is
our own: after a `gap` nothing is known of the book until the next message tells of it. A last line that was cut
off, and a compressed file whose end is missing, are what a killed recorder leaves: what comes before counts.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from engine.errors import ConfigInvalid
from engine.model.value import Value

DEPTH, BEST, TRADE, GAP = "depthUpdate", "bookTicker", "trade", "gap"
COMPRESSED = ".gz"

OpenLines = Callable[[], Iterable[str]]
Levels = tuple[tuple[str, str], ...]


class RecordedData(Value, frozen=True, kw_only=True):
    """The parts of the recorded messages that are used. `m`: the buyer was the maker."""

    e: str
    b: str | Levels = ""
    a: str | Levels = ""
    p: str = "0"
    q: str = "0"
    m: bool = False


class _Line(Value, frozen=True, kw_only=True):
    """A stream's message in `data`, or a snapshot's two sides."""

    data: RecordedData | None = None
    bids: Levels = ()
    asks: Levels = ()


_LINE = msgspec.json.Decoder(_Line)


def recorded_lines(path: Path) -> OpenLines:
    """The lines of a recording on disk, gzipped or plain; every call starts at the beginning."""
    if not path.is_file():
        raise ConfigInvalid(f"there is no recording at {path}", hint="leave `recording` out for generated flow")

    def lines() -> Iterator[str]:
        with gzip.open(path, "rt") if path.suffix == COMPRESSED else path.open() as stream:
            try:
                yield from filter(_is_whole, stream)
            except EOFError:
                return

    return lines


def _is_whole(line: str) -> bool:
    """Only the last line can lack its end: it may have been cut off there or earlier."""
    if line.endswith("\n"):
        return True
    try:
        parse_line(line)
    except ConfigInvalid:
        return False
    return True


def parse_line(line: str) -> tuple[int, RecordedData]:
    """Time and message of one line; ConfigInvalid when it is not in the format."""
    at, _, text = line.partition(" ")
    try:
        received_ns, said = int(at), _LINE.decode(text)
    except (ValueError, msgspec.DecodeError) as error:
        raise _no_line(line) from error
    if said.data is not None:
        return received_ns, said.data
    if not said.bids or not said.asks:
        raise _no_line(line)
    return received_ns, RecordedData(e=DEPTH, b=said.bids, a=said.asks)


def _no_line(line: str) -> ConfigInvalid:
    return ConfigInvalid(f"not a recorded line: {line[:60]!r}", hint="expected `<ns> <json>`")
