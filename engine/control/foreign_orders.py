"""Orders on bots' markets that no bot of this workspace sent: by hand, by other software, by a lost journal.

They are told, never touched (law 3). They cannot be adopted either: what makes an order a bot's own is its client
id, which no venue lets one change, and the journal's word that it was sent. The bot's own orders take their place
once they are gone.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.control.desired import load_in_force
from engine.control.reconcile import own_side_of
from engine.control.venue_questions import Counter, ask_account, open_counter
from engine.errors import ConfigInvalid, UsageError
from engine.host.workspace import Workspace
from engine.model.commands import QueryOpenOrders
from engine.model.events import OpenOrdersReported
from engine.model.instrument import Instrument
from engine.model.order import OrderReport
from engine.model.value import Value

LEG = "question"


class ForeignOrder(Value, frozen=True, kw_only=True):
    """One order that rests on a market which a bot trades, and is none of any bot's. Figures as text."""

    account: str
    market: str
    side: str
    price: str
    size: str
    venue_order_id: str


def foreign_orders(workspace: Workspace, bots: Sequence[str]) -> tuple[ForeignOrder, ...]:
    """What rests now on the markets of these bots (of all when none is named). Unavailable while a venue does not
    answer: what cannot be asked is not nothing."""
    return tuple(
        _order(counter, instrument, report)
        for account, market in _places(workspace, bots)
        for counter in (open_counter(workspace, account),)
        for instrument, report in _foreign(counter, market)
    )


def _places(workspace: Workspace, bots: Sequence[str]) -> list[tuple[str, str]]:
    loaded = load_in_force(workspace)
    if loaded.has_errors:
        raise ConfigInvalid("the fleet's files have errors", hint="botctl validate")
    specs = {name: bot.spec for name, bot in loaded.bots.items()}
    if unknown := sorted(set(bots) - specs.keys()):
        raise UsageError(f"no such bot: {', '.join(unknown)}", hint=f"there are: {', '.join(sorted(specs))}")
    chosen = [specs[name] for name in bots or specs]
    return sorted({(leg.account, leg.market) for spec in chosen for leg in spec.legs.values()})


def _foreign(counter: Counter, market: str) -> list[tuple[Instrument, OrderReport]]:
    """The venue is asked first: what a bot sends in between, its journal knows already."""
    instrument, events = ask_account(counter, market, [QueryOpenOrders(leg=LEG)])
    own = own_side_of(counter, market)
    reports = [report for event in events if isinstance(event, OpenOrdersReported) for report in event.orders]
    return [
        (instrument, report)
        for report in reports
        if report.client_id not in own.client_ids and report.venue_order_id not in own.order_ids
    ]


def _order(counter: Counter, instrument: Instrument, report: OrderReport) -> ForeignOrder:
    return ForeignOrder(
        account=counter.account.name,
        market=instrument.symbol,
        side=str(report.side),
        price=instrument.price_text(report.ticks),
        size=instrument.size_text(report.lots - report.executed_lots),
        venue_order_id=str(report.venue_order_id),
    )
