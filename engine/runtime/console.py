"""The log of `botctl run`: the same records as the file's, as one line each for a person at a terminal."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TextIO

from engine.clock import NS_PER_S, iso_utc
from engine.runtime.logs import Redactor

_COLOURS = {"DEBUG": "2", "INFO": "36", "WARNING": "33", "ERROR": "31"}


class ConsoleLines(logging.Handler):
    """`14:01:13.250 journal restored  orders=0 fills=0`, coloured where the terminal can."""

    def __init__(self, stream: TextIO, *, colour: bool) -> None:
        super().__init__()
        self._stream = stream
        self._colour = colour
        self._hidden: set[str] = set()
        self._redact = Redactor(())

    def hide(self, secrets: Iterable[str]) -> None:
        """Show these no more, beside those hidden before."""
        self._hidden |= set(secrets)
        self._redact = Redactor(self._hidden)

    def emit(self, record: logging.LogRecord) -> None:
        """A closed terminal must not stop the bot; its hang-up signal does that, as a procedure."""
        try:
            print(self._redact(self._line(record)), file=self._stream, flush=True)
        except OSError:
            return

    def _line(self, record: logging.LogRecord) -> str:
        time = iso_utc(int(record.created * NS_PER_S))[11:23]
        facts = " ".join(f"{name}={value}" for name, value in getattr(record, "facts", {}).items() if value != "")
        message = record.getMessage()
        if self._colour:
            time = f"\x1b[2m{time}\x1b[0m"
            message = f"\x1b[{_COLOURS.get(record.levelname, '31')}m{message}\x1b[0m"
        line = f"{time} {message}  {facts}".rstrip()
        return f"{line}\n{logging.Formatter().formatException(record.exc_info)}" if record.exc_info else line
