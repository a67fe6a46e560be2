"""The journal's tables and bounds.

A new shape gets a new VERSION and a step that leads there from the one before, so that every journal ever written
can be opened: `create` and `migrate` must end with the same tables. Old steps are never changed.
"""

from __future__ import annotations

import sqlite3

VERSION = 2
FUNDING_SINCE = 2
"""The version from which on there is a table of payments."""
DONE_ORDERS_KEPT = 5_000
NOTES_KEPT = 20_000

_FUNDING = """CREATE TABLE funding (
    seq INTEGER PRIMARY KEY, leg TEXT NOT NULL, market TEXT NOT NULL, payment_id TEXT NOT NULL,
    record BLOB NOT NULL, UNIQUE (leg, market, payment_id))"""
_TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE ids (leg TEXT PRIMARY KEY, tag INTEGER NOT NULL, next INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE orders (
        leg TEXT NOT NULL, market TEXT NOT NULL, client_id INTEGER NOT NULL, done INTEGER NOT NULL,
        updated_ns INTEGER NOT NULL, record BLOB NOT NULL, PRIMARY KEY (leg, client_id)) WITHOUT ROWID""",
    "CREATE INDEX orders_by_age ON orders (done, updated_ns)",
    """CREATE TABLE fills (
        seq INTEGER PRIMARY KEY, leg TEXT NOT NULL, market TEXT NOT NULL, trade_id TEXT NOT NULL,
        venue_order_id TEXT NOT NULL, record BLOB NOT NULL, UNIQUE (leg, market, trade_id, venue_order_id))""",
    """CREATE TABLE notes (
        seq INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, leg TEXT NOT NULL, what TEXT NOT NULL,
        facts BLOB NOT NULL)""",
    _FUNDING,
)
_STEPS: dict[int, tuple[str, ...]] = {1: (_FUNDING,)}
"""By the version that a step starts from: what makes the next one of it."""


def create(connection: sqlite3.Connection, owner: bytes) -> None:
    """All tables of an empty journal, in one transaction: a half-made journal is an empty one."""
    connection.execute("BEGIN IMMEDIATE")
    for table in _TABLES:
        connection.execute(table)
    connection.execute("INSERT INTO meta VALUES ('owner', ?)", (owner,))
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.commit()


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Lead an older journal to the present shape, in one transaction: who dies on the way leaves the old one."""
    connection.execute("BEGIN IMMEDIATE")
    for before in range(version, VERSION):
        for statement in _STEPS[before]:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.commit()


def prune(connection: sqlite3.Connection) -> None:
    """Forget the oldest done orders and notes. Fills and funding stay: position and profit are their sums."""
    connection.execute(
        "DELETE FROM orders WHERE done = 1 AND (leg, client_id) IN "
        "(SELECT leg, client_id FROM orders WHERE done = 1 ORDER BY updated_ns DESC LIMIT -1 OFFSET ?)",
        (DONE_ORDERS_KEPT,),
    )
    connection.execute("DELETE FROM notes WHERE seq <= (SELECT max(seq) FROM notes) - ?", (NOTES_KEPT,))
