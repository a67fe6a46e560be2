"""Looks into a journal from outside, without opening it for writing: its bot may run, or be gone for good."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from engine.errors import StateDamaged


def live_orders(file: Path) -> int:
    """The orders of a journal that are not certainly done."""
    return read_number(file, "SELECT count(*) FROM orders WHERE done = 0")


def read_number(file: Path, question: str) -> int:
    """One figure out of a journal; StateDamaged when it cannot be read."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as reader:
            (number,) = reader.execute(question).fetchone()
    except sqlite3.DatabaseError as error:
        raise StateDamaged(
            f"journal {file} cannot be read: {error}",
            hint="see at the venue whether orders of the bot rest, then move the file away",
        ) from error
    return int(number)
