"""Looks into a journal from outside, without opening it for writing: its bot may run, or be gone for good."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import msgspec

from engine.errors import StateDamaged
from engine.model.value import Value
from engine.runtime.journal import newest_key
from engine.trading.reconciliation import OwnSide
from engine.trading.records import FillRecord, OrderRecord, RunRecord, TallyRecord

Found = TypeVar("Found", RunRecord, TallyRecord)


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
            orders = reader.execute(f"SELECT record FROM orders {where}", (leg, market)).fetchall()
    except sqlite3.DatabaseError as error:
        raise _unreadable(file, error) from error
    found = [msgspec.json.decode(record, type=FillRecord).fill for (record,) in fills]
    known = [msgspec.json.decode(record, type=OrderRecord) for (record,) in orders]
    return OwnSide(
        fills=tuple(found),
        client_ids=frozenset(order.request.client_id for order in known),
        order_ids=frozenset(order.venue_order_id for order in known if order.venue_order_id is not None)
        | frozenset(fill.venue_order_id for fill in found if not fill.system),
    )


class LegBooks(Value, frozen=True, kw_only=True):
    """What a journal has of one leg on one market: its last run, what was counted until then, every fill."""

    run: RunRecord
    tally: TallyRecord
    fills: tuple[FillRecord, ...]


def leg_books(file: Path, leg: str, market: str) -> LegBooks | None:
    """The books of a leg; None where its bot never sent an order there, or before such books were kept."""
    fills = "SELECT record FROM fills WHERE leg = ? AND market = ? ORDER BY seq"
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as reader:
            reader.execute("BEGIN")  # one look: the bot may be trading
            run = _newest(reader, RunRecord, newest_key(RunRecord, leg, market))
            tally = _newest(reader, TallyRecord, newest_key(TallyRecord, leg, market))
            records = reader.execute(fills, (leg, market)).fetchall() if run and tally else []
    except sqlite3.DatabaseError as error:
        raise _unreadable(file, error) from error
    if run is None or tally is None:
        return None
    found = tuple(msgspec.json.decode(record, type=FillRecord) for (record,) in records)
    return LegBooks(run=run, tally=tally, fills=found)


def _newest(reader: sqlite3.Connection, kind: type[Found], key: str) -> Found | None:
    row = reader.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return msgspec.json.decode(row[0], type=kind) if row else None


def _unreadable(file: Path, error: sqlite3.DatabaseError) -> StateDamaged:
    return StateDamaged(
        f"journal {file} cannot be read: {error}",
        hint="see at the venue whether orders of the bot rest, then move the file away",
    )
