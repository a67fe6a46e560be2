"""What a bot must not forget: its orders, its fills, the ids it used, and why it decided as it did.

The venue is the truth, the journal is the memory (law 4). A step's records are one transaction, committed before
its commands leave. The world's databases commit without fsync: a killed process loses nothing, and what a power
cut takes is asked from the venue again. Folding the log into the file does wait for the disk, so that is
`checkpoint`, which the runtime calls beside the loop.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from engine.errors import BotctlError, StateDamaged
from engine.host.files import private_directory
from engine.model.ids import ClientIdScheme
from engine.model.instrument import Instrument
from engine.model.value import Value
from engine.risk.stops import Stops
from engine.runtime.journal_schema import VERSION, create, migrate, prune
from engine.trading.records import (
    FillRecord,
    FundingRecord,
    IgnoredRecord,
    MemoRecord,
    Memory,
    Note,
    OrderRecord,
    Record,
    RunRecord,
    TallyRecord,
)
from engine.transport.world import World

log = logging.getLogger(__name__)

COMMITS_BETWEEN_PRUNING = 1000
PRIMARY_CODE = 0xFF
"""SQLite's extended error codes carry the primary one in their low byte."""
ABOUT_THE_DISK = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY)


_KINDS = {MemoRecord: "memo", RunRecord: "run", TallyRecord: "tally", IgnoredRecord: "ignored"}
Newest = TypeVar("Newest", MemoRecord, RunRecord, TallyRecord, IgnoredRecord)


class JournalOwner(Value, frozen=True, kw_only=True):
    """Whose journal this is; a journal of another bot or account is never read."""

    fleet_id: str
    bot: str
    identity: str


class JournalLeg(Value, frozen=True, kw_only=True):
    """What a leg trades now, and how its client ids carry their sequence.

    A bot may be moved to another market of its account: ids go on counting, but lots and ticks of one market mean
    nothing in another, so only records of the leg's present market are given back.
    """

    market: str
    client_ids: ClientIdScheme


class Journal:
    """One open journal."""

    def __init__(self, path: Path, connection: sqlite3.Connection, legs: Mapping[str, JournalLeg]) -> None:
        self.path = path
        self._connection = connection
        self._legs = legs
        self._next: dict[str, int] = dict(connection.execute("SELECT leg, next FROM ids"))
        self._commits = 0

    def tag(self, leg: str) -> int | None:
        """The owner tag the leg's orders carry; None before the first `claim`."""
        row = self._connection.execute("SELECT tag FROM ids WHERE leg = ?", (leg,)).fetchone()
        return row[0] if row else None

    def has_tag(self, tag: int) -> bool:
        """Whether some leg counts under this tag already: legs on one account share theirs."""
        row = self._connection.execute("SELECT 1 FROM ids WHERE tag = ? LIMIT 1", (tag,)).fetchone()
        return row is not None

    @property
    def next_sequence(self) -> int:
        """The first number that no leg has certainly used: all legs count together."""
        return max(self._next.values(), default=0)

    def claim(self, leg: str, tag: int, first_sequence: int) -> None:
        """Write down, before the first order, under which tag and from which sequence on the leg counts."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(
                "INSERT INTO ids (leg, tag, next) VALUES (?, ?, ?)", (leg, tag, first_sequence)
            )
            self._connection.commit()
        except sqlite3.Error as error:
            raise _unwritable(error) from error
        self._next[leg] = first_sequence

    def commit(self, records: Sequence[Record]) -> None:
        """Write all records or none; BotctlError when the disk does not take them."""
        if not records:
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for record in records:
                self._write(record)
            self._prune_sometimes()
            self._connection.commit()
        except sqlite3.Error as error:
            raise _unwritable(error) from error

    def restore(self) -> Memory:
        """Everything a new process must know; the venue then tells what has changed since."""
        orders = self._of_present_markets("orders WHERE done = 0 ORDER BY updated_ns, client_id")
        fills = self._of_present_markets("fills ORDER BY seq")
        funding = self._of_present_markets("funding ORDER BY seq")
        return Memory(
            orders=tuple(msgspec.json.decode(record, type=OrderRecord) for record in orders),
            fills=tuple(msgspec.json.decode(record, type=FillRecord) for record in fills),
            funding=tuple(msgspec.json.decode(record, type=FundingRecord) for record in funding),
            memos=tuple(self._kept(MemoRecord)),
            runs=tuple(self._kept(RunRecord)),
            tallies=tuple(self._kept(TallyRecord)),
            next_sequence=self.next_sequence,
            stops=self._stops(),
            ignored=tuple(self._kept(IgnoredRecord)),
        )

    def _stops(self) -> Stops | None:
        row = self._connection.execute(
            "SELECT value FROM meta WHERE key = ?", (stops_key(self._markets),)
        ).fetchone()
        return msgspec.json.decode(row[0], type=Stops) if row else None

    @property
    def _markets(self) -> dict[str, str]:
        return {name: leg.market for name, leg in self._legs.items()}

    def _kept(self, kind: type[Newest]) -> Iterator[Newest]:
        for leg in self._legs:
            key = newest_key(kind, leg, self._market(leg))
            found = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,))
            yield from (msgspec.json.decode(value, type=kind) for (value,) in found)

    def live_elsewhere(self) -> dict[str, int]:
        """Orders that may live on markets which the bot does not trade now, counted by market."""
        present = self._markets
        rows = self._connection.execute("SELECT leg, market, count(*) FROM orders WHERE done = 0 GROUP BY 1, 2")
        elsewhere: dict[str, int] = {}
        for leg, market, count in rows:
            if present.get(leg) != market:
                elsewhere[market] = elsewhere.get(market, 0) + count
        return elsewhere

    def facts(self) -> dict[str, Instrument]:
        """What the venues said last of the present markets, by leg."""
        keys = {leg: self._facts_key(leg) for leg in self._legs}
        found = {
            leg: self._connection.execute("SELECT value FROM meta WHERE key = ?", (keys[leg],)) for leg in keys
        }
        return {leg: msgspec.json.decode(value, type=Instrument) for leg in keys for (value,) in found[leg]}

    def keep_facts(self, facts: Mapping[str, Instrument]) -> None:
        """Remember what is new of what the venues say: a full disk is no hindrance where nothing is."""
        known = self.facts()
        fresh = {leg: instrument for leg, instrument in facts.items() if instrument != known.get(leg)}
        if not fresh:
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for leg, instrument in fresh.items():
                row = (self._facts_key(leg), msgspec.json.encode(instrument))
                self._connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", row)
            self._connection.commit()
        except sqlite3.Error as error:
            raise _unwritable(error) from error

    def live_orders(self) -> int:
        """How many orders may still rest or fill, as far as anybody can know."""
        (count,) = self._connection.execute("SELECT count(*) FROM orders WHERE done = 0").fetchone()
        return int(count)

    def close(self) -> None:
        self._connection.close()

    def _of_present_markets(self, rows: str) -> Iterator[bytes]:
        markets = self._markets
        for leg, market, record in self._connection.execute(f"SELECT leg, market, record FROM {rows}"):
            if markets.get(leg) == market:
                yield record

    def _write(self, record: Record) -> None:
        if isinstance(record, OrderRecord):
            self._write_order(record)
        elif isinstance(record, FillRecord):
            self._write_fill(record)
        elif isinstance(record, FundingRecord):
            self._write_funding(record)
        elif isinstance(record, Stops):
            self._write_stops(record)
        elif isinstance(record, MemoRecord | RunRecord | TallyRecord | IgnoredRecord):
            self._write_newest(record)
        else:
            self._write_note(record)

    def _write_order(self, record: OrderRecord) -> None:
        leg, client_id = record.request.leg, record.request.client_id
        self._note_sequence(leg, client_id)
        state = (record.state.is_done, record.updated_ns, msgspec.json.encode(record))
        self._connection.execute(
            "INSERT OR REPLACE INTO orders (leg, market, client_id, done, updated_ns, record) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (leg, self._market(leg), client_id, *state),
        )

    def _write_fill(self, record: FillRecord) -> None:
        leg, fill = record.leg, record.fill
        self._connection.execute(
            "INSERT OR IGNORE INTO fills (leg, market, trade_id, venue_order_id, record) VALUES (?, ?, ?, ?, ?)",
            (leg, self._market(leg), fill.trade_id, fill.venue_order_id, msgspec.json.encode(record)),
        )

    def _write_funding(self, record: FundingRecord) -> None:
        leg, payment_id = record.leg, record.payment.payment_id
        self._connection.execute(
            "INSERT OR IGNORE INTO funding (leg, market, payment_id, record) VALUES (?, ?, ?, ?)",
            (leg, self._market(leg), payment_id, msgspec.json.encode(record)),
        )

    def _write_stops(self, stops: Stops) -> None:
        key = stops_key(self._markets)
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, msgspec.json.encode(stops)))

    def _write_newest(self, record: MemoRecord | RunRecord | TallyRecord | IgnoredRecord) -> None:
        key = newest_key(type(record), record.leg, self._market(record.leg))
        self._connection.execute(
            "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, msgspec.json.encode(record))
        )

    def _facts_key(self, leg: str) -> str:
        return f"facts {leg} {self._market(leg)}"

    def _market(self, leg: str) -> str:
        return self._legs[leg].market

    def _write_note(self, note: Note) -> None:
        self._connection.execute(
            "INSERT INTO notes (at_ns, leg, what, facts) VALUES (?, ?, ?, ?)",
            (note.at_ns, note.leg, note.what, msgspec.json.encode(note.facts)),
        )

    def _note_sequence(self, leg: str, client_id: int) -> None:
        """Raise the leg's next sequence past this id. Ids carry only the low bits, so nearness undoes the wrap."""
        scheme, expected = self._legs[leg].client_ids, self._next[leg]
        ahead = (scheme.sequence_of(client_id) - expected) % scheme.sequences
        if ahead < scheme.sequences // 2:
            self._next[leg] = expected + ahead + 1
            self._connection.execute("UPDATE ids SET next = ? WHERE leg = ?", (self._next[leg], leg))

    def _prune_sometimes(self) -> None:
        self._commits += 1
        if self._commits % COMMITS_BETWEEN_PRUNING == 0:
            prune(self._connection)


def newest_key(kind: type[MemoRecord | RunRecord | TallyRecord | IgnoredRecord], leg: str, market: str) -> str:
    """Under which the newest of its kind is kept: prices and lots of one market mean nothing in another."""
    return f"{_KINDS[kind]} {leg} {market}"


def stops_key(markets: Mapping[str, str]) -> str:
    """Under which the newest stops are kept: profit on one market means nothing on another."""
    return "stops " + " ".join(f"{leg}={market}" for leg, market in sorted(markets.items()))


def open_journal(world: World, path: Path, owner: JournalOwner, legs: Mapping[str, JournalLeg]) -> Journal:
    """Open the journal, made new when it is missing; StateDamaged when it cannot be trusted."""
    private_directory(path.parent)
    try:
        connection = world.database(path)
        _check(connection, path, owner)
        return Journal(path, connection, legs)
    except sqlite3.DatabaseError as error:
        raise (_unwritable(error) if _is_about_the_disk(error) else _damaged(path, str(error))) from error
    except msgspec.MsgspecError as error:
        raise _damaged(path, str(error)) from error


def give_to(world: World, path: Path, bot: str) -> None:
    """The same bot goes on under another name."""
    with closing(world.database(path)) as connection:
        (stored,) = connection.execute("SELECT value FROM meta WHERE key = 'owner'").fetchone()
        heir = replace(msgspec.json.decode(stored, type=JournalOwner), bot=bot)
        connection.execute("UPDATE meta SET value = ? WHERE key = 'owner'", (msgspec.json.encode(heir),))
        connection.commit()


def begin_from(world: World, former: Path, path: Path, owner: JournalOwner, *, without: Iterable[str]) -> None:
    """Begin a journal as a copy of a former one of the same bot, in which these legs have done nothing and stops
    count profit anew. It is there as a whole or not at all."""
    draft = path.with_suffix(".draft")
    for suffix in ("", "-wal", "-shm"):
        draft.with_name(draft.name + suffix).unlink(missing_ok=True)
    try:
        with closing(world.database(former)) as connection:
            connection.execute("VACUUM INTO ?", (str(draft),))
        with closing(world.database(draft)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for leg in without:
                _forget_leg(connection, leg)
            connection.execute("DELETE FROM meta WHERE key GLOB 'stops *'")
            connection.execute("UPDATE meta SET value = ? WHERE key = 'owner'", (msgspec.json.encode(owner),))
            connection.commit()
    except sqlite3.Error as error:
        raise (_unwritable(error) if _is_about_the_disk(error) else _damaged(former, str(error))) from error
    draft.rename(path)
    log.info("journal goes on", extra={"facts": {"from": former.name, "without": sorted(without)}})


def _forget_leg(connection: sqlite3.Connection, leg: str) -> None:
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql GLOB '*leg TEXT*'")
    for (table,) in tables.fetchall():
        connection.execute(f"DELETE FROM {table} WHERE leg = ?", (leg,))
    for kind in (*_KINDS.values(), "facts"):
        head = f"{kind} {leg} "
        connection.execute("DELETE FROM meta WHERE substr(key, 1, ?) = ?", (len(head), head))


def checkpoint(world: World, path: Path) -> None:
    """Fold the write-ahead log into the file, over a connection of its own."""
    try:
        with closing(world.database(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    except sqlite3.Error as error:
        raise _unwritable(error) from error


def _check(connection: sqlite3.Connection, path: Path, owner: JournalOwner) -> None:
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        create(connection, msgspec.json.encode(owner))
    elif version > VERSION:
        raise _damaged(path, f"a newer botctl wrote it (version {version}, this one reads {VERSION})")
    (stored,) = connection.execute("SELECT value FROM meta WHERE key = 'owner'").fetchone()
    whose = msgspec.json.decode(stored, type=JournalOwner)
    if whose != owner:
        raise _damaged(path, f"it belongs to {whose.fleet_id}/{whose.bot} on {whose.identity}")
    if 0 < version < VERSION:
        migrate(connection, version)
        log.info("journal migrated", extra={"facts": {"before": version, "now": VERSION}})


def _is_about_the_disk(error: sqlite3.Error) -> bool:
    """Whether the file may be as good as ever, and only cannot be worked with now."""
    code = getattr(error, "sqlite_errorcode", 0)  # errors that Python's module raises itself have none
    return code & PRIMARY_CODE in ABOUT_THE_DISK


def _unwritable(error: sqlite3.Error) -> BotctlError:
    return BotctlError(
        f"the journal cannot be written: {error}",
        hint="free disk space; nothing is sent until the journal takes it",
    )


def _damaged(path: Path, why: str) -> StateDamaged:
    return StateDamaged(
        f"journal {path} cannot be trusted: {why}",
        hint="its orders may still rest at the venue: check there and cancel them before moving the file away",
    )
