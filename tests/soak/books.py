"""Compares what bots wrote down with what venues' ledgers say: every account and asset, to the last digit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal

from engine.host.workspace import Workspace
from engine.model.instrument import MarketKind
from engine.model.value import Value
from engine.sim.exchange import Exchange
from engine.spec.types import BotSpec, SimSpec
from engine.trading.accounting import Accounting
from engine.trading.records import FillRecord, as_counted
from tests.chaos.journals import rows

ZERO = Decimal(0)


class Pnl(Value, frozen=True, kw_only=True):
    """What one account made at the venue's marks, by the journals of its bots and by the venue's ledger."""

    venue: str
    account: str
    fills: int
    own: Decimal
    ledger: Decimal
    differences: tuple[str, ...]
    """Assets of which the two do not have the same."""


def compare(
    workspace: Workspace,
    bots: Mapping[str, BotSpec],
    sims: Mapping[str, SimSpec],
    exchanges: Mapping[str, Exchange],
) -> Iterator[Pnl]:
    """One line for every account on every simulated venue."""
    for venue, sim in sims.items():
        for account, opening in sim.accounts.items():
            books = _books(workspace, bots, exchanges[venue], (venue, account))
            yield _line(exchanges[venue], (venue, account), opening, books)


def _books(
    workspace: Workspace, bots: Mapping[str, BotSpec], exchange: Exchange, place: tuple[str, str]
) -> dict[str, Accounting]:
    """By market: a replay of every fill and payment that a bot of the account has in its journal."""
    books: dict[str, Accounting] = {}
    for name, spec in bots.items():
        for leg, where in spec.legs.items():
            if (where.venue, where.account) == place:
                one = books.setdefault(where.market, Accounting(exchange.markets[where.market].market.instrument))
                replay(one, workspace, name, leg)
    return books


def replay(books: Accounting, workspace: Workspace, bot: str, leg: str) -> None:
    """Count every fill and payment that the bot wrote down of a leg."""
    for counted in as_counted(rows(workspace, bot, "fills"), rows(workspace, bot, "funding")):
        if counted.leg != leg:
            continue
        if isinstance(counted, FillRecord):
            books.add(counted.slot, counted.fill)
        else:
            books.add_funding(counted.own, counted.payment.at_ns)


def _line(
    exchange: Exchange, place: tuple[str, str], opening: Mapping[str, Decimal], books: Mapping[str, Accounting]
) -> Pnl:
    own, ledger, marks = _own(exchange, books), _ledger(exchange, place[1], opening), _marks(exchange)
    assets = sorted(own.keys() | ledger.keys())
    return Pnl(
        venue=place[0],
        account=place[1],
        fills=sum(one.fills for one in books.values()),
        own=sum((own[asset] * marks[asset] for asset in assets), ZERO),
        ledger=sum((ledger[asset] * marks[asset] for asset in assets), ZERO),
        differences=tuple(
            f"{asset}: {own[asset]} by own fills, {ledger[asset]} by the ledger"
            for asset in assets
            if own[asset] != ledger[asset]
        ),
    )


def _own(exchange: Exchange, books: Mapping[str, Accounting]) -> dict[str, Decimal]:
    """Assets gained, a perp position counting as an asset of its market's name."""
    gained: dict[str, Decimal] = defaultdict(Decimal)
    for market, one in books.items():
        instrument = exchange.markets[market].market.instrument
        gained[market if instrument.kind is MarketKind.PERP else instrument.base] += one.base_change
        gained[instrument.quote] += one.quote_change
    return gained


def _ledger(exchange: Exchange, account: str, opening: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """The same by the venue: what was paid for an open perp position left the quote, as a spot purchase does."""
    there = exchange.account(account)
    gained: dict[str, Decimal] = defaultdict(Decimal)
    for asset, total in there.total.items():
        gained[asset] += total - opening.get(asset, ZERO)
    for market, position in there.positions.items():
        instrument = exchange.markets[market].market.instrument
        gained[market] += instrument.size(position.lots)
        gained[instrument.quote] -= position.cost
    return gained


def _marks(exchange: Exchange) -> dict[str, Decimal]:
    """What one unit of each asset is worth in quote; the quotes themselves are worth 1."""
    marks: dict[str, Decimal] = defaultdict(lambda: Decimal(1))
    for market, at in exchange.markets.items():
        instrument = at.market.instrument
        marks[market if instrument.kind is MarketKind.PERP else instrument.base] = at.mark
    return marks
