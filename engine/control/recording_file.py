"""The file a recording is written into: what is in it stays in it, whatever happens then.

It is never overwritten, it is flushed as often as its writer says, and after an error it keeps what came before:
the readers put up with an end that is missing (`engine.sim.recording`).
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from engine.errors import BotctlError, Conflict
from engine.sim.recording import COMPRESSED


class RecordingFile:
    """Lines on disk, compressed where the name says so. Raises BotctlError where they cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file: IO[bytes] = path.open("xb")
        except FileExistsError as error:
            hint = "recordings are never overwritten: give another -o FILE, or move that one away"
            raise Conflict(f"{path} exists already", hint=hint) from error
        except OSError as error:
            raise BotctlError(f"{path} cannot be made: {error.strerror}", hint="give another -o FILE") from error
        self._stream: IO[bytes] | gzip.GzipFile = self._file
        if path.suffix == COMPRESSED:
            self._stream = gzip.GzipFile(fileobj=self._file, mode="wb")

    @property
    def size_bytes(self) -> int:
        """On disk."""
        return self.path.stat().st_size

    def write(self, lines: Iterable[str]) -> None:
        try:
            for line in lines:
                self._stream.write(line.encode())
        except OSError as error:
            raise self._failure(error) from error

    def flush(self) -> None:
        """From here on the death of this process costs nothing of what was written."""
        try:
            self._stream.flush()
        except OSError as error:
            raise self._failure(error) from error

    def __enter__(self) -> RecordingFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """After an error it is that which is told, and not that the end cannot be written either."""
        try:
            self._stream.close()
            self._file.close()
        except OSError as last:
            with suppress(OSError):
                self._file.close()
            if kind is None:
                raise self._failure(last) from last

    def _failure(self, error: OSError) -> BotctlError:
        words = f"{self.path} cannot be written any further: {error.strerror}"
        return BotctlError(words, hint="what was recorded until then is in it; free disk space, then record anew")
