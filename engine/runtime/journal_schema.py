"""The journal's tables and bounds. A new shape gets a new VERSION and a step that leads there from the old one."""

from __future__ import annotations

import sqlite3

VERSION = 1
DONE_ORDERS_KEPT = 5_000
NOTES_KEPT = 20_000

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
)


def ignored_key(leg: str, market: str) -> str:
    """Under which stands, in `meta`, how much of the venue's position on a market is not the bot's."""
    return f"ignored {leg} {market}"


def create(connection: sqlite3.Connection, owner: bytes) -> None:
    """All tables of an empty journal, in one transaction: a half-made journal is an empty one."""
    connection.execute("BEGIN IMMEDIATE")
    for table in _TABLES:
        connection.execute(table)
    connection.execute("INSERT INTO meta VALUES ('owner', ?)", (owner,))
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.commit()


def prune(connection: sqlite3.Connection) -> None:
    """Forget the oldest done orders and notes. Fills stay: position and profit are their sums."""
    connection.execute(
        "DELETE FROM orders WHERE done = 1 AND (leg, client_id) IN "
        "(SELECT leg, client_id FROM orders WHERE done = 1 ORDER BY updated_ns DESC LIMIT -1 OFFSET ?)",
        (DONE_ORDERS_KEPT,),
    )
    connection.execute("DELETE FROM notes WHERE seq <= (SELECT max(seq) FROM notes) - ?", (NOTES_KEPT,))
