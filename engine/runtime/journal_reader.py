"""Looks into a journal from outside, without opening it for writing: its bot may run, or be gone for good."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import msgspec

from engine.errors import StateDamaged
from engine.model.instrument import MarketKind, plain
from engine.model.value import Value
from engine.runtime.journal import newest_key
from engine.runtime.journal_schema import FUNDING_SINCE
from engine.trading.orders import ADOPTED_SLOT
from engine.trading.reconciliation import OwnSide
from engine.trading.records import (
    FillRecord,
    FundingRecord,
    IgnoredRecord,
    OrderRecord,
    RunRecord,
    TallyRecord,
    as_counted,
)

Found = TypeVar("Found", RunRecord, TallyRecord, IgnoredRecord)


def live_orders(file: Path) -> int:
    """The orders of a journal that are not certainly done."""
    return read_number(file, "SELECT count(*) FROM orders WHERE done = 0")


def last_dead_after_ns(file: Path) -> int:
    """The moment after which none of the orders that are not certainly done can arrive any more; 0 without any."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as reader:
            rows = reader.execute("SELECT record FROM orders WHERE done = 0").fetchall()
    except sqlite3.DatabaseError as error:
        raise _unreadable(file, error) from error
    return max((msgspec.json.decode(record, type=OrderRecord).dead_after_ns for (record,) in rows), default=0)


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
            ignored = _newest(reader, IgnoredRecord, newest_key(IgnoredRecord, leg, market))
            orders = reader.execute(f"SELECT record FROM orders {where}", (leg, market)).fetchall()
            (version,) = reader.execute("PRAGMA user_version").fetchone()
            question = f"SELECT record FROM funding {where} ORDER BY seq"
            funding = reader.execute(question, (leg, market)).fetchall() if version >= FUNDING_SINCE else []
    except sqlite3.DatabaseError as error:
        raise _unreadable(file, error) from error
    counted = [msgspec.json.decode(record, type=FillRecord) for (record,) in fills]
    found = [record.fill for record in counted if record.slot != ADOPTED_SLOT]
    adopted = [record.fill for record in counted if record.slot == ADOPTED_SLOT]
    adopted_lots = sum(fill.lots * fill.side.sign for fill in adopted)
    known = [msgspec.json.decode(record, type=OrderRecord) for (record,) in orders]
    return OwnSide(
        fills=tuple(found),
        funding=tuple(msgspec.json.decode(record, type=FundingRecord) for (record,) in funding),
        client_ids=frozenset(order.request.client_id for order in known),
        order_ids=frozenset(order.venue_order_id for order in known if order.venue_order_id is not None)
        | frozenset(fill.venue_order_id for fill in found if not fill.system),
        settled_lots=adopted_lots + (ignored.lots if ignored else 0),
        settled_ns=max((ignored.at_ns if ignored else 0, *(fill.at_ns for fill in adopted))),
        adopted_lots=adopted_lots,
    )


def held_positions(file: Path) -> dict[str, str]:
    """What own fills left of perps, signed base units as text by market; lots where the journal does not say how
    much one is. Spot is left out: what a bot bought there is the account's balance."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as reader:
            places = reader.execute("SELECT DISTINCT leg, market FROM fills ORDER BY market").fetchall()
    except sqlite3.DatabaseError as error:
        raise _unreadable(file, error) from error
    held: dict[str, str] = {}
    for leg, market in places:
        own, books = own_side(file, leg, market), leg_books(file, leg, market)
        lots = own.adopted_lots + sum(fill.lots * fill.side.sign for fill in own.fills)
        instrument = books.run.instrument if books else None
        if lots and (instrument is None or instrument.kind is MarketKind.PERP):
            held[market] = f"{lots} lots" if instrument is None else plain(instrument.size(lots))
    return held


class LegBooks(Value, frozen=True, kw_only=True):
    """What a journal has of one leg on one market: its last run, what was counted until then, and every
    fill and payment in the order in which they were counted."""

    run: RunRecord
    tally: TallyRecord
    counted: tuple[FillRecord | FundingRecord, ...]


def leg_books(file: Path, leg: str, market: str) -> LegBooks | None:
    """The books of a leg; None where its bot never sent an order there, or before such books were kept."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as reader:
            reader.execute("BEGIN")  # one look: the bot may be trading
            run = _newest(reader, RunRecord, newest_key(RunRecord, leg, market))
            tally = _newest(reader, TallyRecord, newest_key(TallyRecord, leg, market))
            fills, payments = _counted(reader, leg, market) if run and tally else ([], [])
    except sqlite3.DatabaseError as error:
        raise _unreadable(file, error) from error
    if run is None or tally is None:
        return None
    return LegBooks(run=run, tally=tally, counted=tuple(as_counted(fills, payments)))


def places(file: Path) -> tuple[tuple[str, str], ...]:
    """Legs and markets a journal has fills or payments of; one that waits to be migrated has no payments yet."""
    question = "SELECT DISTINCT leg, market FROM fills"
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as reader:
            (version,) = reader.execute("PRAGMA user_version").fetchone()
            if version >= FUNDING_SINCE:
                question += " UNION SELECT DISTINCT leg, market FROM funding"
            return tuple(sorted(reader.execute(question).fetchall()))
    except sqlite3.DatabaseError as error:
        raise _unreadable(file, error) from error


def _counted(reader: sqlite3.Connection, leg: str, market: str) -> tuple[list[FillRecord], list[FundingRecord]]:
    question = "SELECT record FROM {} WHERE leg = ? AND market = ? ORDER BY seq"
    fills, payments = (reader.execute(question.format(table), (leg, market)) for table in ("fills", "funding"))
    return (
        [msgspec.json.decode(record, type=FillRecord) for (record,) in fills],
        [msgspec.json.decode(record, type=FundingRecord) for (record,) in payments],
    )


def _newest(reader: sqlite3.Connection, kind: type[Found], key: str) -> Found | None:
    row = reader.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return msgspec.json.decode(row[0], type=kind) if row else None


def _unreadable(file: Path, error: sqlite3.DatabaseError) -> StateDamaged:
    return StateDamaged(
        f"journal {file} cannot be read: {error}",
        hint="see at the venue whether orders of the bot rest, then move the file away",
    )
