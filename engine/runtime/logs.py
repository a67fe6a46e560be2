"""The bot's own log: JSON lines in `.botctl/logs/<bot>.jsonl`, without secrets; old ones go to `old/<bot>/`.

Lines go to the file directly and never through stdout: a bot that prints to a frozen supervisord stops trading as
soon as the pipe is full. Everybody logs through `logging` with a constant message and `extra={"facts": {…}}`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from engine.clock import NS_PER_S, iso_utc

ROTATE_BYTES = 8 << 20
OLD_FILES_KEPT = 5
SHORTEST_SECRET = 6


def start_log(handler: logging.Handler, level: str) -> None:
    """Send everything that is logged to this handler, and to no other; of libraries, only what is wrong."""
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    set_level(level)


def set_level(level: str) -> None:
    """How much the engine itself says."""
    logging.getLogger("engine").setLevel(level.upper())


class Redactor:
    """Replaces secrets by value, wherever they would appear; short ones would black out ordinary words."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in (secret, json.dumps(secret)[1:-1])}
        self._secrets = tuple(form for form in forms if len(form) >= SHORTEST_SECRET)

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        return text


class JsonLines(logging.Handler):
    """One JSON object per line, flushed line by line. `beside` runs slow work (packing) off the loop."""

    def __init__(self, path: Path, *, beside: Callable[[Callable[[], None]], object]) -> None:
        super().__init__()
        self._hidden: set[str] = set()
        self._redact = Redactor(())
        self._path = path
        self._old = path.parent / "old" / path.stem
        self._beside = beside
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._open()

    def emit(self, record: logging.LogRecord) -> None:
        """A full disk must stop the journal, which says so; a line of the log that is lost to it stops nothing."""
        try:
            if self._file.closed:  # The last rotation did not get as far as a new file.
                self._open()
            self._file.write(self._redact(json_line(record)) + "\n")
            if self._file.tell() > ROTATE_BYTES:
                self._rotate(record)
        except OSError:
            return

    def hide(self, secrets: Iterable[str]) -> None:
        """Show these no more, beside those hidden before."""
        self._hidden |= set(secrets)
        self._redact = Redactor(self._hidden)

    def close(self) -> None:
        with suppress(OSError):  # A line that a full disk did not take is tried once more.
            self._file.close()
        super().close()

    def _open(self) -> None:
        self._file = self._path.open("a", encoding="utf-8", buffering=1)
        self._path.chmod(0o600)

    def _rotate(self, record: logging.LogRecord) -> None:
        self._old.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = self._old / f"{int(record.created * NS_PER_S)}.jsonl"
        self._file.close()
        self._path.rename(aside)
        self._open()
        self._beside(lambda: pack(aside))


def json_line(record: logging.LogRecord) -> str:
    """One log record as JSON: when, how bad, who, what, and the facts."""
    line = {
        "at": iso_utc(int(record.created * NS_PER_S)),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
        **getattr(record, "facts", {}),
    }
    if record.exc_info:
        line["traceback"] = logging.Formatter().formatException(record.exc_info)
    return json.dumps(line, default=str)


def pack(file: Path) -> None:
    """Compress a log that was moved aside, and forget the oldest ones of its folder, packed or not."""
    import gzip  # Few bots live long enough to need it.

    for oldest in sorted(file.parent.glob("*.jsonl*"))[:-OLD_FILES_KEPT]:
        oldest.unlink(missing_ok=True)
    Path(f"{file}.gz").write_bytes(gzip.compress(file.read_bytes(), compresslevel=1))
    file.unlink()
