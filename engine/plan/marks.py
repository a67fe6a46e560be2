"""What engines say that a policy reckons with: prices of their markets, equity of their accounts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from engine.model.account import Stake
from engine.plan.observed import Engine, Leg, Observed
from engine.plan.policy_facts import Book
from engine.spec.types import AccountSpec, Environment, FleetSpec

_CASH = "USD"
"""What assets that back positions are called: USD, USDC, USDT."""


def prices(fleet: FleetSpec, observed: Observed) -> dict[Book, Decimal]:
    """By book; where two engines trade in one, the higher price."""
    found: dict[Book, Decimal] = {}
    for account, leg, stake in _stakes(fleet, observed):
        if stake.price is not None:
            book = account.venue, account.environment, leg.market
            found[book] = max(stake.price, found.get(book, stake.price))
    return found


def equity(fleet: FleetSpec, observed: Observed) -> dict[str, Decimal]:
    """By account, as the venue told an engine; of a simulated one that no engine speaks of, what it opens with."""
    opening = {
        name: sum((held for asset, held in account.balances.items() if asset.startswith(_CASH)), Decimal(0))
        for name, account in fleet.accounts.items()
        if account.environment is Environment.SIM
    }
    told = {
        account.name: stake.margin_used + stake.margin_free
        for account, _, stake in _stakes(fleet, observed)
        if stake.margin_used is not None and stake.margin_free is not None
    }
    return {**opening, **told}


def _stakes(fleet: FleetSpec, observed: Observed) -> Iterator[tuple[AccountSpec, Leg, Stake]]:
    for engine in observed.engines.values():
        if isinstance(engine, Engine):
            for name, leg in engine.legs.items():
                if leg.ready and name in engine.stakes and leg.account in fleet.accounts:
                    yield fleet.accounts[leg.account], leg, engine.stakes[name]
