"""Settles what bots' positions hold beyond their own fills: adopted into their books, or ignored for good.

The bot itself decides nothing here and adds nothing meanwhile; a person does, over its control socket, of exactly
the difference that he was shown. Used by `botctl adopt`, `botctl ignore` and whoever acts on drift.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

from engine.control.audit import recorded
from engine.control.fleet import Fleet, caller
from engine.control.lifecycle import applied_names
from engine.control.observe import observe
from engine.errors import Conflict
from engine.host.control_client import call
from engine.model.value import Value
from engine.plan.observed import Engine, Leg


class Settling(StrEnum):
    """The two things that unexplained position can become."""

    ADOPT = "adopt"
    IGNORE = "ignore"


class Difference(Value, frozen=True, kw_only=True):
    """Position of one bot's leg that its fills do not explain: signed base units as text. `price`: what it would
    enter the books at; None while neither an entry price nor a mid is known."""

    bot: str
    leg: str
    account: str
    market: str
    size: str
    price: str | None
    position: str
    ignored: str


def differences(fleet: Fleet, names: Sequence[str]) -> tuple[Difference, ...]:
    """What waits for a person in these bots (all when none is named). Conflict for a named one that does not run:
    only a bot that asks its venue knows."""
    chosen = applied_names(fleet, names)
    engines = observe(fleet).engines
    silent = [name for name in names if not isinstance(engines.get(name), Engine)]
    if silent:
        raise Conflict(
            f"does not run: {', '.join(silent)}",
            hint="`botctl start` it first: beside a position that it does not know it adds nothing, and asks",
        )
    running = {name: engine for name in chosen if isinstance(engine := engines.get(name), Engine)}
    return tuple(
        _difference(name, leg_name, leg)
        for name, engine in running.items()
        for leg_name, leg in engine.legs.items()
        if Decimal(leg.unexplained)
    )


def settle(fleet: Fleet, found: Difference, settling: Settling, *, price: str | None = None, why: str = "") -> None:
    """Make the bot take the difference over, at `price` or the one it was shown with, or leave it alone for good.
    Conflict when the difference is another one by now."""
    arguments = {"leg": found.leg, "size": found.size, "price": price, "who": caller()}
    bots, at = [found.bot], price or found.price
    with recorded(fleet.workspace, settling, bots=bots, leg=found.leg, size=found.size, price=at, why=why):
        call(fleet.workspace.control_socket(found.bot), settling, arguments)


def _difference(bot: str, name: str, leg: Leg) -> Difference:
    return Difference(
        bot=bot,
        leg=name,
        account=leg.account,
        market=leg.market,
        size=leg.unexplained,
        price=leg.adoption_price,
        position=leg.position,
        ignored=leg.ignored,
    )
