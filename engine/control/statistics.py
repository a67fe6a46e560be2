"""The statistics of every applied bot: asked from its engine, or read from its journal while no engine answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.control.fleet import Fleet, View
from engine.errors import BotctlError, Unavailable, UsageError
from engine.host.control_client import call_all
from engine.host.generation import read_current
from engine.host.workspace import Workspace
from engine.model.value import Value
from engine.runtime.journal_reader import LegBooks, leg_books
from engine.runtime.report import statistics_report
from engine.spec.types import BotSpec
from engine.trading.accounting import Accounting
from engine.trading.records import FundingRecord
from engine.trading.statistics import LegStatistics, machine_statistics, statistics_of
from engine.trading.tally import Tally

TIMEOUT_S = 2.0


class BotStatistics(Value, frozen=True, kw_only=True):
    """One bot's. `source` is `engine` or `journal`; `why` says why it is not the engine. `legs`, `total` and `run`
    have the shapes of `engine.trading.statistics`, money as text; `legs` is empty where nothing was ever traded."""

    name: str
    strategy: str
    source: str
    why: str = ""
    legs: dict[str, Any] = {}
    total: dict[str, Any] | None = None
    run: dict[str, Any] | None = None
    hedge: dict[str, Any] | None = None
    """Of a bot that hedges, while its engine runs: what is not hedged now."""


def fleet_statistics(fleet: Fleet | View, names: Sequence[str]) -> tuple[BotStatistics, ...]:
    """The named bots', or every applied bot's, by name."""
    generation = read_current(fleet.workspace)
    bots = generation.bots if generation else {}
    if unknown := sorted(set(names) - bots.keys()):
        raise UsageError(f"not applied: {', '.join(unknown)}", hint="`botctl status` lists the bots")
    chosen = {name: bots[name] for name in sorted(names or bots)}
    sockets = {name: fleet.workspace.control_socket(name) for name in chosen}
    replies = call_all(sockets, "stats", timeout_s=TIMEOUT_S)
    return tuple(_statistics(fleet.workspace, spec, replies[name]) for name, spec in chosen.items())


def _statistics(workspace: Workspace, spec: BotSpec, reply: dict[str, Any] | BotctlError) -> BotStatistics:
    if isinstance(reply, BotctlError):
        silent = isinstance(reply, Unavailable)
        return _from_journal(workspace, spec, "its engine does not answer" if silent else reply.message)
    return BotStatistics(name=spec.name, strategy=spec.strategy.kind, source="engine", **reply)


def _from_journal(workspace: Workspace, spec: BotSpec, why: str) -> BotStatistics:
    """As far as a journal knows: no market, so nothing that a mid is needed for."""
    file = _newest(workspace.journals / spec.name)
    found = {name: leg_books(file, name, leg.market) for name, leg in spec.legs.items()} if file else {}
    legs = {name: statistics_of_books(books) for name, books in found.items() if books}
    report = statistics_report(machine_statistics(legs)) if legs else {}
    return BotStatistics(name=spec.name, strategy=spec.strategy.kind, source="journal", why=why, **report)


def _newest(directory: Path) -> Path | None:
    """The journal written last: one per set of accounts, and a simulator started anew is another account."""
    return max(directory.glob("*.sqlite"), key=_written_ns, default=None)


def _written_ns(journal: Path) -> int:
    log = journal.with_name(f"{journal.name}-wal")
    return max(file.stat().st_mtime_ns for file in (journal, log) if file.exists())


def statistics_of_books(books: LegBooks) -> LegStatistics:
    """As a bot would tell them that had just remembered all this, were the run still its own."""
    accounting = Accounting(books.run.instrument)
    for number, record in enumerate(books.counted):
        if number == books.run.counted_before:
            accounting.begin_run()
        if isinstance(record, FundingRecord):
            accounting.add_funding(record.own, record.payment.at_ns)
        else:
            accounting.add(record.slot, record.fill)
    if len(books.counted) <= books.run.counted_before:
        accounting.begin_run()
    tallies = (Tally(books.tally.total), Tally(books.tally.run))
    return statistics_of(books.run.instrument, accounting, tallies, books.run)
