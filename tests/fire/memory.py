"""What a bot wrote down, read from its journal while the bot runs, hangs or is dead."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import msgspec

from engine.host.workspace import Workspace
from engine.trading.records import FillRecord, OrderRecord

READ_TIMEOUT_S = 10.0


class BotMemory:
    """One bot's journal. Nothing is kept open, so no checkpoint of the bot ever waits for this."""

    def __init__(self, workspace: Workspace, bot: str) -> None:
        self._folder = workspace.journals / bot

    def live_orders(self) -> list[OrderRecord]:
        return self._orders("SELECT record FROM orders WHERE done = 0")

    def orders(self) -> list[OrderRecord]:
        """Also those that are done, as far as the journal keeps them."""
        return self._orders("SELECT record FROM orders")

    def fills(self) -> list[FillRecord]:
        rows = self._rows("SELECT record FROM fills ORDER BY seq")
        return [msgspec.json.decode(record, type=FillRecord) for record in rows]

    def _orders(self, question: str) -> list[OrderRecord]:
        return [msgspec.json.decode(record, type=OrderRecord) for record in self._rows(question)]

    def _rows(self, question: str) -> list[bytes]:
        (file,) = self._folder.glob("*.sqlite")
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=READ_TIMEOUT_S)) as reader:
            return [record for (record,) in reader.execute(question)]
