"""A bot's journals as they are on disk, read from outside."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import msgspec

from engine.host.workspace import Workspace
from engine.trading.records import FillRecord, FundingRecord, OrderRecord, OrderState

_TYPES = {"orders": OrderRecord, "fills": FillRecord, "funding": FundingRecord}


def is_at_rest(workspace: Workspace, bot: str) -> bool:
    """Whether all orders that the bot believes in rest, with nothing under way."""
    live = rows(workspace, bot, "orders", "WHERE done = 0")
    return all(record.state is OrderState.ACCEPTED for record in live)


def rows(workspace: Workspace, bot: str, table: str, where: str = "") -> list[Any]:
    """Every record of a table, or some; none before the first start."""
    found: list[Any] = []
    for file in (workspace.journals / bot).glob("*.sqlite"):
        with closing(sqlite3.connect(file)) as reader:
            try:
                records = reader.execute(f"SELECT record FROM {table} {where}").fetchall()
            except sqlite3.OperationalError:
                continue  # the bot died before its tables were there
        found += [msgspec.json.decode(record, type=_TYPES[table]) for (record,) in records]
    return found
