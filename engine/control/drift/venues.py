"""Asks venues how the markets and accounts of the bots in force stand. Questions only."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from engine.clock import iso_utc
from engine.control.reconcile import SETTLE_S, is_at_rest, own_sides, reconcile
from engine.control.venue_questions import Counter, account_identity, account_leverage, ask_account
from engine.errors import BotctlError
from engine.host.accounts import account_directory
from engine.host.tags import tag_owners
from engine.host.workspace import Workspace
from engine.model.commands import Query, QueryOpenOrders, QueryPosition
from engine.model.events import OpenOrdersReported, PositionReported
from engine.model.instrument import Instrument, MarketKind
from engine.model.order import OrderReport
from engine.model.value import Value
from engine.plan.drift.evidence import AccountLook, MarketLook, RestingOrder, SetLeverage
from engine.plan.observed import Applied, Unknown
from engine.trading.reconciliation import Baseline, OwnSide

LEG = "question"
ACCOUNTS_AT_ONCE = 8
Counters = Mapping[str, Counter]

NEVER_COMPARED = "there is nothing to compare with yet: `botctl account reconcile` keeps how it stands"
NEVER_RESTS = "its bots traded all the while; pause them for a moment, or look again"


def counters_of(workspace: Workspace, applied: Applied | None) -> Counters:
    """A counter for every account of the generation in force, with the bots that were applied: the files may say
    something else by now, or nothing that can be read."""
    if applied is None:
        return {}
    specs = [spec for _, spec in sorted(applied.bots.items())]
    names = sorted({leg.account for spec in specs for leg in spec.legs.values()})
    accounts = {name: spec.accounts[name] for name in names for spec in specs if name in spec.accounts}
    return {
        name: Counter(
            workspace=workspace,
            fleet=applied.fleet,
            account=accounts[name],
            bots=tuple(spec for spec in specs if any(leg.account == name for leg in spec.legs.values())),
        )
        for name in names
    }


class Answer(Value, frozen=True, kw_only=True):
    """What was heard of one account: its markets, its balances, and how it stands, where it could be seen whole."""

    markets: dict[str, MarketLook | Unknown]
    account: AccountLook | Unknown
    standing: Baseline | None = None


def ask_venues(counters: Counters, markets: Mapping[str, Sequence[str]]) -> dict[str, Answer]:
    """These markets of these accounts, several accounts at a time."""
    with ThreadPoolExecutor(ACCOUNTS_AT_ONCE) as asking:
        answers = asking.map(lambda name: _ask(counters[name], markets[name]), markets)
        return dict(zip(markets, answers, strict=True))


def _ask(counter: Counter, markets: Sequence[str]) -> Answer:
    looks = {market: _market(counter, market) for market in markets}
    unknown = [look for look in looks.values() if isinstance(look, Unknown)]
    if len(unknown) == len(looks):  # Whoever answers nothing need not be asked for balances too.
        return Answer(markets=looks, account=unknown[0])
    try:
        account, standing = _account(counter)
    except BotctlError as error:
        return Answer(markets=looks, account=Unknown(why=error.message))
    return Answer(markets=looks, account=account, standing=standing)


def _market(counter: Counter, market: str) -> MarketLook | Unknown:
    try:
        return _look_at_market(counter, market)
    except BotctlError as error:
        return Unknown(why=error.message)


def _look_at_market(counter: Counter, market: str) -> MarketLook:
    """Whose an order is, is read after the venue was asked: what a bot sends in between, its journal knows."""
    questions: list[Query] = [QueryOpenOrders(leg=LEG), QueryPosition(leg=LEG)]
    before = own_sides(counter, market)
    instrument, events = ask_account(counter, market, questions)
    sides = own_sides(counter, market)
    reports = [report for event in events if isinstance(event, OpenOrdersReported) for report in event.orders]
    told = next((event.position for event in events if isinstance(event, PositionReported)), None)
    is_perp, lots = instrument.kind is MarketKind.PERP, told.lots if told else 0
    explained, tags = sum(_explained(side) for side in sides.values()), _tags(counter)
    if is_perp and lots != explained:
        time.sleep(SETTLE_S)  # A fill may be on its way into the journal.
        is_certain = is_at_rest(before.values(), own_sides(counter, market).values())
    else:
        is_certain = True
    return MarketLook(
        orders=tuple(_order(instrument, report, sides, tags) for report in reports),
        position=instrument.size(lots) if is_perp else None,
        explained=instrument.size(explained) if is_certain else None,
        leverage=_leverage(counter, market) if is_perp and counter.account.leverage is not None else None,
    )


def _account(counter: Counter) -> tuple[AccountLook, Baseline | None]:
    """What of its balances nothing explains, and how it stands now."""
    found = reconcile(counter, since_ns=time.time_ns())
    if found.never_rests:
        return AccountLook(why_not=NEVER_RESTS), None
    if found.since_ns is None:
        return AccountLook(why_not=NEVER_COMPARED), found.now
    unexplained = {one.asset: one.unexplained for one in found.balances if one.unexplained}
    since = iso_utc(found.since_ns) if found.since_ns else "it was opened"
    return AccountLook(unexplained=unexplained, since=since), found.now


def _order(
    instrument: Instrument, report: OrderReport, sides: Mapping[str, OwnSide], tagged: Callable[[int | None], str]
) -> RestingOrder:
    owner = next((bot for bot, side in sides.items() if _knows(side, report)), "")
    return RestingOrder(
        venue_order_id=str(report.venue_order_id),
        side=str(report.side),
        price=instrument.price_text(report.ticks),
        size=instrument.size_text(report.lots - report.executed_lots),
        owner=owner,
        tagged="" if owner else tagged(report.client_id),
    )


def _tags(counter: Counter) -> Callable[[int | None], str]:
    """Says whose tag a client id begins with; nothing for one that nobody of this host has."""
    owners, scheme = tag_owners(account_directory(account_identity(counter))), counter.venue.facts.client_ids
    return lambda client_id: "" if client_id is None else owners.get(scheme.tag_of(client_id), "")


def _knows(side: OwnSide, report: OrderReport) -> bool:
    return report.client_id in side.client_ids or report.venue_order_id in side.order_ids


def _explained(side: OwnSide) -> int:
    return side.settled_lots + sum(fill.lots * fill.side.sign for fill in side.fills)


def _leverage(counter: Counter, market: str) -> SetLeverage | None:
    answer = account_leverage(counter, market)
    if answer is None:
        return None
    told, can_change = answer
    return SetLeverage(times=told.times, is_of_account=told.is_of_account, can_change=can_change)
