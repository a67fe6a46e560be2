"""Asks the venue what is left there of a bot that nobody declares any more. `forget` is the caller.

Account and markets are those of its last run in the foreground, else of the newest generation that had the bot; its
secrets are today's.
"""

from __future__ import annotations

from pathlib import Path

from engine.control.venue_questions import LEG, Counter, account_identity, ask_account
from engine.errors import StateDamaged, Unavailable
from engine.host.direct import read_direct
from engine.host.generation import AppliedBot, kept_generations, read_generation
from engine.host.workspace import Workspace
from engine.model.commands import QueryOpenOrders, QueryPosition
from engine.model.events import OpenOrdersReported, PositionReported
from engine.model.instrument import Instrument, MarketKind, plain
from engine.model.value import Value
from engine.runtime.journal_reader import own_side


class AtVenue(Value, frozen=True, kw_only=True):
    """What rests now of the orders a journal knows, and the venue's positions on those markets, as text."""

    resting: int = 0
    positions: dict[str, str] = {}


def at_venue(workspace: Workspace, bot: str, journal: Path) -> AtVenue:
    """What the venue says now; some BotctlError, with the reason, where it cannot be asked."""
    applied = read_direct(workspace, bot) or _newest_with(workspace, bot)
    spec = applied.spec
    counters = {name: _counter(workspace, applied, leg.account) for name, leg in spec.legs.items()}
    identities = {account_identity(counter).digest for counter in counters.values()}
    if "+".join(sorted(identities)) != journal.stem:
        raise Unavailable(f"it was run last on another account than that of {journal.name}")
    resting, positions = 0, {}
    for name, leg in spec.legs.items():
        instrument, count = _resting(counters[name], journal, name, leg.market)
        resting += count
        if position := _position(counters[name], instrument):
            positions[leg.market] = position
    return AtVenue(resting=resting, positions=positions)


def _newest_with(workspace: Workspace, bot: str) -> AppliedBot:
    for number in reversed(kept_generations(workspace)):
        try:
            generation = read_generation(workspace, number)
        except StateDamaged:
            continue
        if bot in generation.bots:
            return AppliedBot(meta=generation.meta, fleet=generation.fleet, spec=generation.bots[bot])
    raise Unavailable("no generation that is kept knows its account")


def _counter(workspace: Workspace, applied: AppliedBot, account: str) -> Counter:
    spec = applied.spec
    return Counter(workspace=workspace, fleet=applied.fleet, account=spec.accounts[account], bots=(spec,))


def _resting(counter: Counter, journal: Path, leg: str, market: str) -> tuple[Instrument, int]:
    instrument, events = ask_account(counter, market, [QueryOpenOrders(leg=LEG)])
    reports = [report for event in events if isinstance(event, OpenOrdersReported) for report in event.orders]
    if not any(isinstance(event, OpenOrdersReported) for event in events):
        raise Unavailable(f"{counter.account.venue} did not tell the open orders of {market}")
    own = own_side(journal, leg, market)
    return instrument, sum(
        report.client_id in own.client_ids or report.venue_order_id in own.order_ids for report in reports
    )


def _position(counter: Counter, instrument: Instrument) -> str:
    """Signed base units as text; empty where there is none. On spot a balance is the account's."""
    if instrument.kind is not MarketKind.PERP:
        return ""
    _, events = ask_account(counter, instrument.symbol, [QueryPosition(leg=LEG)])
    lots = next((event.position.lots for event in events if isinstance(event, PositionReported)), 0)
    return plain(instrument.size(lots)) if lots else ""
