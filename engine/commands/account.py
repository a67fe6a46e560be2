"""`botctl account`: what a venue says of one account of the fleet."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from engine.clock import NS_PER_S, iso_utc
from engine.commands.market import show
from engine.commands.options import Directory, Json
from engine.commands.reconcile import show_reconciled
from engine.control.venue_questions import (
    Counter,
    account_collateral,
    ask_account,
    deposit_address,
    open_counter,
)
from engine.errors import Unavailable, UsageError
from engine.host.workspace import find_workspace
from engine.model.account import Fill
from engine.model.commands import Query, QueryBalances, QueryFills, QueryOpenOrders, QueryPosition
from engine.model.events import BalancesReported, Event, FillsReported, OpenOrdersReported, PositionReported
from engine.model.instrument import Instrument, MarketKind, plain
from engine.model.order import OrderReport

LEG = "question"
Row = dict[str, Any]


class What(StrEnum):
    BALANCES = "balances"
    COLLATERAL = "collateral"
    DEPOSIT_ADDRESS = "deposit-address"
    POSITIONS = "positions"
    ORDERS = "orders"
    FILLS = "fills"
    RECONCILE = "reconcile"


def command(
    what: Annotated[What, typer.Argument(help=", ".join(What))],
    account: Annotated[str | None, typer.Option("--account", "-a", help="which account of the fleet")] = None,
    market: Annotated[str | None, typer.Option(help="instead of all that its bots trade")] = None,
    hours: Annotated[float, typer.Option(min=0, help="how far back fills go")] = 24,
    blockchain: Annotated[str | None, typer.Option(help="for deposit-address: as the venue spells it")] = None,
    directory: Directory = None,
    as_json: Json = False,
) -> int:
    """Ask the venue about an account: everybody's orders and fills on it, not only our bots'."""
    workspace = find_workspace(directory)
    since_ns = time.time_ns() - round(hours * 3600) * NS_PER_S
    if what is What.RECONCILE:
        return show_reconciled(workspace, account, since_ns=since_ns, as_json=as_json)
    counter = open_counter(workspace, account)
    markets = _markets(counter, market, what)
    if what is What.COLLATERAL:
        rows = _collateral(counter, markets[0])
    elif what is What.DEPOSIT_ADDRESS:
        rows = _deposit_address(counter, markets[0], blockchain)
    else:
        rows = [row for name in markets for row in _ask(counter, name, what, since_ns)]
    show(rows, as_json)
    return 0


def _markets(counter: Counter, market: str | None, what: What) -> Sequence[str]:
    """What is the whole account's needs one market to ask through."""
    markets = (market,) if market else counter.markets
    if not markets:
        raise UsageError(f"no bot trades on {counter.account.name}", hint="say which --market to ask about")
    return markets[:1] if what in (What.BALANCES, What.COLLATERAL, What.DEPOSIT_ADDRESS) else markets


def _collateral(counter: Counter, market: str) -> list[Row]:
    """Where the venue's package has no such question, balances are all there is to tell."""
    found = account_collateral(counter, market)
    if found is None:
        return _ask(counter, market, What.BALANCES, 0)
    figures = ("equity", "available", "initial_margin", "maintenance_margin")
    values = {name: getattr(found, name) for name in figures}
    return [
        {
            "asset": found.asset,
            **{name: None if value is None else plain(value) for name, value in values.items()},
        }
    ]


def _deposit_address(counter: Counter, market: str, blockchain: str | None) -> list[Row]:
    if not blockchain:
        raise UsageError("a deposit address belongs to a blockchain", hint="--blockchain Solana, for example")
    found = deposit_address(counter, market, blockchain)
    if found is None:
        raise Unavailable(
            f"{counter.account.venue} does not tell a deposit address over its interface",
            hint="its website does; check the address there before you send anything",
        )
    return [{"blockchain": blockchain, "address": found}]


def _ask(counter: Counter, market: str, what: What, since_ns: int) -> list[Row]:
    question: dict[What, Query] = {
        What.BALANCES: QueryBalances(leg=LEG),
        What.POSITIONS: QueryPosition(leg=LEG),
        What.ORDERS: QueryOpenOrders(leg=LEG),
        What.FILLS: QueryFills(leg=LEG, since_ns=since_ns),
    }
    instrument, events = ask_account(counter, market, [question[what]])
    if what is What.POSITIONS and instrument.kind is MarketKind.SPOT:
        return []
    return [row for event in events for row in _rows(instrument, event)]


def _rows(instrument: Instrument, event: Event) -> Iterator[Row]:
    match event:
        case BalancesReported(balances=balances):
            for balance in balances:
                yield {
                    "asset": balance.asset,
                    "total": plain(balance.total),
                    "available": plain(balance.available),
                }
        case PositionReported(position=position):
            entry = position.entry_price
            yield {
                "market": instrument.symbol,
                "position": instrument.size_text(position.lots),
                "entry_price": None if entry is None else plain(entry),
            }
        case OpenOrdersReported(orders=orders):
            yield from (_order(instrument, order) for order in orders)
        case FillsReported(fills=fills):
            yield from (_fill(instrument, fill) for fill in fills)


def _order(instrument: Instrument, order: OrderReport) -> Row:
    return {
        "market": instrument.symbol,
        "side": str(order.side),
        "price": instrument.price_text(order.ticks),
        "size": instrument.size_text(order.lots),
        "executed": instrument.size_text(order.executed_lots),
        "status": str(order.status),
        "venue_order_id": order.venue_order_id,
        "client_id": order.client_id,
    }


def _fill(instrument: Instrument, fill: Fill) -> Row:
    return {
        "at": iso_utc(fill.at_ns),
        "market": instrument.symbol,
        "side": str(fill.side),
        "price": instrument.price_text(fill.ticks),
        "size": instrument.size_text(fill.lots),
        "fee": plain(fill.fee),
        "fee_asset": fill.fee_asset,
        "liquidity": str(fill.liquidity),
        "venue_order_id": fill.venue_order_id,
    }
