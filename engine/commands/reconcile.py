"""`botctl account reconcile`: what bots wrote down of an account, held against what its venue says."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec

from engine.clock import iso_utc
from engine.commands.table import table
from engine.control.baselines import keep_baseline
from engine.control.desired import load_in_force
from engine.control.reconcile import Reconciliation, reconcile
from engine.control.venue_questions import open_counter
from engine.errors import UsageError
from engine.host.workspace import Workspace
from engine.model.instrument import plain
from engine.spec.types import Environment
from engine.trading.reconciliation import MarketDifference

DIFFERENCES = 2
MARKET_HEAD = (
    "MARKET",
    "OWN FILLS",
    "OTHERS'",
    "NOT IN JOURNAL",
    "NOT AT VENUE",
    "POSITION",
    "UNEXPLAINED",
    "FUNDING",
    "OWN",
)
BALANCE_HEAD = ("ASSET", "CHANGE", "OWN FILLS", "FUNDING", "OTHERS'", "UNEXPLAINED")


def show_reconciled(workspace: Workspace, account: str | None, *, since_ns: int, as_json: bool) -> int:
    """The named account, or every one that bots trade on; 2 when something is unexplained."""
    found = []
    for name in _accounts(workspace, account):
        counter = open_counter(workspace, name)
        found.append(reconcile(counter, since_ns=since_ns))
        if counter.account.environment is not Environment.SIM:
            keep_baseline(counter, found[-1].now)
    if as_json:
        print(json.dumps([_document(one) for one in found], indent=2))
    else:
        for one in found:
            _show(one)
    return 0 if all(one.is_explained for one in found) else DIFFERENCES


def _accounts(workspace: Workspace, account: str | None) -> list[str]:
    if account is not None:
        if not open_counter(workspace, account).markets:
            raise UsageError(f"no bot trades on {account}", hint="there are no books to compare")
        return [account]
    bots = load_in_force(workspace).bots.values()
    return sorted({leg.account for bot in bots for leg in bot.spec.legs.values()})


def _show(found: Reconciliation) -> None:
    verdict = "everything is explained" if found.is_explained else "NOT everything is explained"
    print(f"{found.account} at {found.venue}: {verdict}")
    print(table(MARKET_HEAD, [_market_row(one) for one in found.markets]))
    if found.never_rests:
        print("balances: not compared, its bots traded all the while; stop them for a moment")
        return
    if found.since_ns is None:
        print("balances: kept as they are now, to be compared with next time")
        return
    rows = [
        [one.asset, *(plain(each) for each in (one.change, one.own, one.funding, one.others, one.unexplained))]
        for one in found.balances
    ]
    print(table(BALANCE_HEAD, rows))


def _market_row(one: MarketDifference) -> list[str]:
    counts = (one.own_fills, one.others_fills, len(one.missing_in_journal), len(one.missing_at_venue))
    unexplained = "-" if one.unexplained_position is None else plain(one.unexplained_position)
    funding = ["-", "-"] if one.venue_position is None else [plain(one.funding), plain(one.own_funding)]
    return [one.market, *map(str, counts), plain(one.own_position), unexplained, *funding]


def _document(found: Reconciliation) -> dict[str, Any]:
    return {
        "account": found.account,
        "venue": found.venue,
        "explained": found.is_explained,
        "never_rests": found.never_rests,
        "since": None if found.since_ns is None else iso_utc(found.since_ns),
        "markets": [_plain(msgspec.structs.asdict(one)) for one in found.markets],
        "balances": [_plain(msgspec.structs.asdict(one)) for one in found.balances],
    }


def _plain(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: plain(value) if isinstance(value, Decimal) else value for name, value in figures.items()}
