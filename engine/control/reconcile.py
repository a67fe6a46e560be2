"""Asks a venue about an account and reads its bots' journals, for `botctl account reconcile`.

Bots go on trading meanwhile: the journals are read before and after the venue was asked, and when they are not the
same it is asked again, so that a fill on its way is not taken for a missing one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from engine.control.venue_questions import Counter, account_identity, ask_account
from engine.control.ways import shell_secrets
from engine.errors import Unavailable
from engine.host.accounts import account_directory
from engine.host.files import read_if_present
from engine.model.account import FundingPayment, Position
from engine.model.commands import Query, QueryBalances, QueryFills, QueryFunding, QueryPosition
from engine.model.events import BalancesReported, FillsReported, FundingReported, PositionReported
from engine.model.instrument import MarketKind
from engine.model.value import Value
from engine.runtime.journal_reader import own_side
from engine.runtime.memory import journal_file
from engine.runtime.sites import find_sites
from engine.spec.types import BotSpec, Environment
from engine.trading.reconciliation import (
    BalanceDifference,
    Baseline,
    MarketDifference,
    OwnSide,
    VenueSide,
    baseline,
    compare_balances,
    compare_market,
)

LEG = "question"
Asked = TypeVar("Asked")
ATTEMPTS_WHOLE, ATTEMPTS = 5, 30
SETTLE_S = 0.2


class Reconciliation(Value, frozen=True, kw_only=True):
    """How an account's books and the venue differ. Balances are compared where there is a baseline (`since_ns`)."""

    account: str
    venue: str
    since_ns: int | None
    never_rests: bool
    """Something was filled at every attempt to see all of the account at one moment."""
    markets: tuple[MarketDifference, ...]
    balances: tuple[BalanceDifference, ...]
    now: Baseline | None = None
    """How the account stands, for the baseline of a later comparison; None while it never rests."""

    @property
    def is_explained(self) -> bool:
        return all(one.is_explained for one in self.markets) and all(one.is_explained for one in self.balances)


class _Look(Value, frozen=True, kw_only=True):
    own: tuple[OwnSide, ...]
    venue: tuple[VenueSide, ...]
    totals: Baseline | None


def reconcile(counter: Counter, *, since_ns: int) -> Reconciliation:
    """Compare with the baseline; changes nothing, not even that: `engine.control.baselines` does."""
    before = _baseline(counter)
    asked_ns = min(since_ns, before.at_ns) if before else since_ns
    look = _look(counter, asked_ns)
    sides = tuple(zip(look.own, look.venue, strict=True))
    return Reconciliation(
        account=counter.account.name,
        venue=counter.account.venue,
        since_ns=before.at_ns if before and look.totals else None,
        never_rests=look.totals is None,
        markets=tuple(compare_market(own, venue) for own, venue in sides),
        balances=compare_balances(before, look.totals, sides) if before and look.totals else (),
        now=look.totals,
    )


def baseline_file(counter: Counter) -> Path:
    """Where the host keeps how an account stood when somebody last said that it stands well."""
    return account_directory(account_identity(counter)) / "reconciled.json"


def _baseline(counter: Counter) -> Baseline | None:
    """What was kept; else a simulated account began with what the fleet declares, and a real one has none."""
    kept = read_if_present(baseline_file(counter))
    if kept:
        return msgspec.json.decode(kept, type=Baseline)
    if counter.account.environment is Environment.SIM and not counter.account.rest_url:
        return Baseline(at_ns=0, totals=dict(counter.account.balances))
    return None


def _look(counter: Counter, since_ns: int) -> _Look:
    """Everything at one moment; of an account that never rests, each market at one of its own and no totals."""
    whole = _quiet(lambda: _own(counter), lambda: _ask(counter, since_ns), attempts=ATTEMPTS_WHOLE)
    if whole is not None:
        own, (venue, totals) = whole
        return _Look(own=own, venue=venue, totals=totals)
    pairs = [_look_at_market(counter, market, since_ns) for market in counter.markets]
    return _Look(own=tuple(own for own, _ in pairs), venue=tuple(venue for _, venue in pairs), totals=None)


def _look_at_market(counter: Counter, market: str, since_ns: int) -> tuple[OwnSide, VenueSide]:
    found = _quiet(
        lambda: (own_side_of(counter, market),), lambda: _ask_market(counter, market, since_ns), attempts=ATTEMPTS
    )
    if found is None:
        raise Unavailable(
            f"{market} is traded too busily to be compared",
            hint="stop the bots of the account for a moment, or try again",
        )
    (own,), answer = found
    return own, answer


def _quiet(
    read: Callable[[], tuple[OwnSide, ...]], ask: Callable[[], Asked], *, attempts: int
) -> tuple[tuple[OwnSide, ...], Asked] | None:
    """Both sides at one moment: nothing was filled between two readings of the journals. None when all the while
    something was."""
    for _ in range(attempts):
        own, answer = read(), ask()
        time.sleep(SETTLE_S)
        if is_at_rest(own, read()):
            return own, answer
    return None


def is_at_rest(before: Iterable[OwnSide], after: Iterable[OwnSide]) -> bool:
    """Whether nothing was filled or paid between two readings of the journals; orders may have come and gone."""
    return [side.counted for side in before] == [side.counted for side in after]


def _own(counter: Counter) -> tuple[OwnSide, ...]:
    return tuple(own_side_of(counter, market) for market in counter.markets)


def own_sides(counter: Counter, market: str) -> dict[str, OwnSide]:
    """What each bot of the account knows of the market."""
    return {
        bot.name: own_side(journal_of(counter, bot), leg, market)
        for bot in counter.bots
        for leg, where in bot.legs.items()
        if where.account == counter.account.name and where.market == market
    }


def own_side_of(counter: Counter, market: str) -> OwnSide:
    """What all bots of the account know of the market together."""
    sides = list(own_sides(counter, market).values())
    return OwnSide(
        fills=tuple(fill for side in sides for fill in side.fills),
        client_ids=frozenset[int]().union(*(side.client_ids for side in sides)),
        order_ids=frozenset[str]().union(*(side.order_ids for side in sides)),
        settled_lots=sum(side.settled_lots for side in sides),
        settled_ns=max((side.settled_ns for side in sides), default=0),
        adopted_lots=sum(side.adopted_lots for side in sides),
        funding=tuple(record for side in sides for record in side.funding),
    )


def journal_of(counter: Counter, bot: BotSpec) -> Path:
    """Where the bot keeps its books while it trades on these accounts."""
    secrets = shell_secrets(counter.workspace)
    sites = find_sites(counter.workspace, bot, fleet_id=counter.fleet.id, secrets=secrets)
    return journal_file(counter.workspace, bot.name, sites)


def _ask(counter: Counter, since_ns: int) -> tuple[tuple[VenueSide, ...], Baseline]:
    venues = tuple(_ask_market(counter, market, since_ns) for market in counter.markets)
    _, events = ask_account(counter, counter.markets[0], [QueryBalances(leg=LEG)])
    reports = [event for event in events if isinstance(event, BalancesReported)]
    totals = {balance.asset: balance.total for report in reports for balance in report.balances}
    return venues, baseline(time.time_ns(), totals, venues)


def _ask_market(counter: Counter, market: str, since_ns: int) -> VenueSide:
    questions: list[Query] = [QueryFills(leg=LEG, since_ns=since_ns), QueryPosition(leg=LEG)]
    instrument, events = ask_account(counter, market, questions)
    reports = [event for event in events if isinstance(event, FillsReported)]
    position = next((event.position for event in events if isinstance(event, PositionReported)), None)
    is_perp = instrument.kind is MarketKind.PERP
    return VenueSide(
        instrument=instrument,
        since_ns=max((report.since_ns for report in reports), default=since_ns),
        fills=tuple(fill for report in reports for fill in report.fills),
        position=(position or Position(lots=0)) if is_perp else None,
        funding=_ask_funding(counter, market, since_ns) if is_perp else (),
    )


def _ask_funding(counter: Counter, market: str, since_ns: int) -> tuple[FundingPayment, ...]:
    """What was paid on a perp; nothing where the venue's package does not ask."""
    if not counter.venue.facts.tells_funding:
        return ()
    _, events = ask_account(counter, market, [QueryFunding(leg=LEG, since_ns=since_ns)])
    reports = [event for event in events if isinstance(event, FundingReported)]
    return tuple(payment for report in reports for payment in report.payments)
