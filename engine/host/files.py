"""Files that other processes read while we write them: replaced whole or not at all, and private."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from threading import get_ident

from engine.errors import Refused

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700


def write_atomic(path: Path, content: bytes, *, durable: bool = False, mode: int = PRIVATE_FILE) -> None:
    """Replace `path` with `content`; a reader sees the old file or the new one, never a part.

    `durable` waits for the disk: for what must not be forgotten in a power cut.
    """
    path.parent.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}-{get_ident()}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def read_if_present(path: Path) -> bytes | None:
    """The file's bytes; None when there is no such file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def private_directory(path: Path) -> Path:
    """Make a directory that only this user can enter; an existing one must already be ours alone.

    A folder in /tmp that somebody else made first could hold sockets that are not ours.
    """
    path.parent.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    path.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
    facts = path.lstat()
    if stat.S_ISLNK(facts.st_mode) or facts.st_uid != os.getuid():
        raise Refused(f"{path} does not belong to this user", hint="remove it, or run as its owner")
    if facts.st_mode & 0o077:
        path.chmod(PRIVATE_DIRECTORY)
    return path
