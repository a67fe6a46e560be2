"""Looks into a journal from outside, without opening it for writing: its bot may run, or be gone for good."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from engine.errors import StateDamaged
from engine.runtime.journal_schema import ignored_key
from engine.trading.orders import ADOPTED_SLOT
from engine.trading.reconciliation import OwnSide
from engine.trading.records import FillRecord, IgnoredRecord, OrderRecord


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
    """What a journal knows of a leg on a market: every fill, and the orders it has not forgotten; nothing where the
    bot has never run."""
    if not file.exists():
        return OwnSide(fills=(), client_ids=frozenset(), order_ids=frozenset())
    where = "WHERE leg = ? AND market = ?"
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as reader:
            fills = reader.execute(f"SELECT record FROM fills {where} ORDER BY seq", (leg, market)).fetchall()
            kept = reader.execute("SELECT value FROM meta WHERE key = ?", (ignored_key(leg, market),)).fetchone()
            orders = reader.execute(f"SELECT record FROM orders {where}", (leg, market)).fetchall()
    except sqlite3.DatabaseError as error:
        raise _unreadable(file, error) from error
    counted = [msgspec.json.decode(record, type=FillRecord) for (record,) in fills]
    found = [record.fill for record in counted if record.slot != ADOPTED_SLOT]
    adopted = [record.fill for record in counted if record.slot == ADOPTED_SLOT]
    ignored = msgspec.json.decode(kept[0], type=IgnoredRecord) if kept else None
    adopted_lots = sum(fill.lots * fill.side.sign for fill in adopted)
    known = [msgspec.json.decode(record, type=OrderRecord) for (record,) in orders]
    return OwnSide(
        fills=tuple(found),
        client_ids=frozenset(order.request.client_id for order in known),
        order_ids=frozenset(order.venue_order_id for order in known if order.venue_order_id is not None)
        | frozenset(fill.venue_order_id for fill in found if not fill.system),
        settled_lots=adopted_lots + (ignored.lots if ignored else 0),
        settled_ns=max((ignored.at_ns if ignored else 0, *(fill.at_ns for fill in adopted))),
        adopted_lots=adopted_lots,
    )


def _unreadable(file: Path, error: sqlite3.DatabaseError) -> StateDamaged:
    return StateDamaged(
        f"journal {file} cannot be read: {error}",
        hint="see at the venue whether orders of the bot rest, then move the file away",
    )
