"""A bot's journals as they are on disk, read from outside."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import msgspec

from engine.host.workspace import Workspace
from engine.trading.records import FillRecord, FundingRecord, OrderRecord

_TYPES = {"orders": OrderRecord, "fills": FillRecord, "funding": FundingRecord}


def rows(workspace: Workspace, bot: str, table: str) -> list[Any]:
    """Every record of a table; none before the first start."""
    found: list[Any] = []
    for file in (workspace.journals / bot).glob("*.sqlite"):
        with closing(sqlite3.connect(file)) as reader:
            try:
                records = reader.execute(f"SELECT record FROM {table}").fetchall()
            except sqlite3.OperationalError:
                continue  # the bot died before its tables were there
        found += [msgspec.json.decode(record, type=_TYPES[table]) for (record,) in records]
    return found
