"""Looks into a journal from outside, without opening it for writing: its bot may run, or be gone for good."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from engine.errors import StateDamaged
from engine.runtime.journal_schema import FUNDING_SINCE
from engine.trading.reconciliation import OwnSide
from engine.trading.records import FillRecord, FundingRecord, OrderRecord


def live_orders(file: Path) -> int:
    """The orders of a journal that are not certainly done."""
    return read_number(file, "SELECT count(*) FROM orders WHERE done = 0")


def read_number(file: Path, question: str) -> int:
    """One figure out of a journal; StateDamaged when it cannot be read."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as reader:
            (number,) = reader.execute(question).fetchone()
    except sqlite3.DatabaseError as error:
        raise _unreadable(file, error) from error
    return int(number)


def own_side(file: Path, leg: str, market: str) -> OwnSide:
    """What a journal knows of a leg on a market: every fill and payment, and the orders it has not forgotten;
    nothing where the bot has never run. One that waits to be migrated has no payments yet."""
    if not file.exists():
        return OwnSide(fills=(), client_ids=frozenset(), order_ids=frozenset())
    where = "WHERE leg = ? AND market = ?"
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as reader:
            fills = reader.execute(f"SELECT record FROM fills {where} ORDER BY seq", (leg, market)).fetchall()
            orders = reader.execute(f"SELECT record FROM orders {where}", (leg, market)).fetchall()
            (version,) = reader.execute("PRAGMA user_version").fetchone()
            question = f"SELECT record FROM funding {where} ORDER BY seq"
            funding = reader.execute(question, (leg, market)).fetchall() if version >= FUNDING_SINCE else []
    except sqlite3.DatabaseError as error:
        raise _unreadable(file, error) from error
    found = [msgspec.json.decode(record, type=FillRecord).fill for (record,) in fills]
    known = [msgspec.json.decode(record, type=OrderRecord) for (record,) in orders]
    return OwnSide(
        fills=tuple(found),
        funding=tuple(msgspec.json.decode(record, type=FundingRecord) for (record,) in funding),
        client_ids=frozenset(order.request.client_id for order in known),
        order_ids=frozenset(order.venue_order_id for order in known if order.venue_order_id is not None)
        | frozenset(fill.venue_order_id for fill in found if not fill.system),
    )


def _unreadable(file: Path, error: sqlite3.DatabaseError) -> StateDamaged:
    return StateDamaged(
        f"journal {file} cannot be read: {error}",
        hint="see at the venue whether orders of the bot rest, then move the file away",
    )
