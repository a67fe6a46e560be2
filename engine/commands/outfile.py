"""The file that `--out` names, for `export` and `metrics`."""

from __future__ import annotations

from pathlib import Path

from engine.errors import BotctlError
from engine.host.files import PRIVATE_FILE, write_atomic

NO_FILE = (IsADirectoryError, NotADirectoryError, FileExistsError, FileNotFoundError)
"""What a wrong path ends in; for no leave and no room, every verb has the same words."""


def write_out(file: Path, content: bytes, *, mode: int = PRIVATE_FILE) -> None:
    """Whole or not at all."""
    try:
        write_atomic(file, content, mode=mode)
    except NO_FILE as error:
        raise BotctlError(f"cannot write {file}: {error.strerror}", hint="choose another --out") from error
