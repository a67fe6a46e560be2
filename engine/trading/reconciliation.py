"""Holds what bots wrote down of an account against what the venue says of it. Pure; asked by `control.reconcile`.

A fill is own when a bot's journal knows it, or its order. Everybody else's on the account are counted too: they are
why a position or a balance may differ from the bots' own. Funding is what the venue says it paid.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from engine.model.account import Fill, FundingPayment, Position
from engine.model.instrument import Instrument, MarketKind
from engine.model.value import Message, Value
from engine.trading.records import FundingRecord

ROUNDED_AWAY = Decimal("0.01")
"""Venues tell entry prices rounded, so what a position cost is known to about this, in quote."""


class OwnSide(Value, frozen=True, kw_only=True):
    """What the journals of an account's bots know of one market."""

    fills: tuple[Fill, ...]
    client_ids: frozenset[int]
    order_ids: frozenset[str]
    settled_lots: int = 0
    """Signed lots that no own fill explains and a person has adopted or ignored, the last time at `settled_ns`."""
    settled_ns: int = 0
    adopted_lots: int = 0
    """Of these, what is in the bot's own books."""
    funding: tuple[FundingRecord, ...] = ()

    @property
    def counted(self) -> tuple[object, ...]:
        """What changes only when something was filled, paid or settled: not with every order."""
        return self.fills, self.settled_lots, self.settled_ns, self.adopted_lots, self.funding

    def has_order_of(self, fill: Fill) -> bool:
        return fill.client_id in self.client_ids or fill.venue_order_id in self.order_ids


class VenueSide(Value, frozen=True, kw_only=True):
    """What the venue says of one market: everybody's fills and funding, complete since `since_ns`, and a perp's
    position."""

    instrument: Instrument
    since_ns: int
    fills: tuple[Fill, ...]
    position: Position | None
    funding: tuple[FundingPayment, ...] = ()


class Baseline(Message, frozen=True, kw_only=True):
    """How an account stood at an earlier look, or when it was opened: totals by asset, and what its open perp
    positions had cost by market."""

    at_ns: int
    totals: dict[str, Decimal]
    costs: dict[str, Decimal] = {}


class MarketDifference(Value, frozen=True, kw_only=True):
    """One market. Sizes in base; `unexplained_position` is None for spot, which has balances instead."""

    market: str
    own_fills: int
    others_fills: int
    missing_in_journal: tuple[str, ...]
    missing_at_venue: tuple[str, ...]
    own_position: Decimal
    venue_position: Decimal | None
    unexplained_position: Decimal | None
    funding: Decimal = Decimal(0)
    """What the venue paid in the compared time, to whomever: in quote, less than nothing for what was taken."""
    own_funding: Decimal = Decimal(0)
    """What of it the bots have counted as theirs. What was paid while a bot is stopped it counts when it runs."""

    @property
    def is_explained(self) -> bool:
        return not (self.missing_in_journal or self.missing_at_venue or self.unexplained_position)


class BalanceDifference(Value, frozen=True, kw_only=True):
    """One asset since the baseline: what it changed by, and how much of that nothing explains."""

    asset: str
    change: Decimal
    own: Decimal
    funding: Decimal
    others: Decimal
    unexplained: Decimal

    @property
    def is_explained(self) -> bool:
        return not self.unexplained


def compare_market(own: OwnSide, venue: VenueSide) -> MarketDifference:
    """Fills of the compared time on both sides, and the position with everything that moved it. What others did
    before a person settled what the position is, is in what was settled."""
    known = {_key(fill) for fill in own.fills}
    told = {_key(fill) for fill in venue.fills}
    others = others_fills(own, venue)
    instrument, lots = venue.instrument, _lots(own.fills)
    is_perp = instrument.kind is MarketKind.PERP and venue.position is not None
    moved_else = own.settled_lots + _lots(fill for fill in others if fill.at_ns > own.settled_ns)
    there = venue.position.lots if is_perp and venue.position else None
    return MarketDifference(
        market=instrument.symbol,
        own_fills=sum(_key(fill) in known for fill in venue.fills),
        others_fills=len(others),
        missing_in_journal=tuple(f.trade_id for f in venue.fills if own.has_order_of(f) and _key(f) not in known),
        missing_at_venue=tuple(f.trade_id for f in own.fills if f.at_ns >= venue.since_ns and _key(f) not in told),
        own_position=instrument.size(lots + own.adopted_lots),
        venue_position=None if there is None else instrument.size(there),
        unexplained_position=None if there is None else instrument.size(there - lots - moved_else),
        funding=sum((paid.amount for paid in venue.funding), Decimal(0)),
        own_funding=sum((one.own for one in own.funding if one.payment.at_ns >= venue.since_ns), Decimal(0)),
    )


def others_fills(own: OwnSide, venue: VenueSide) -> tuple[Fill, ...]:
    """Those that no journal knows, nor their orders: by hand, or by bots of another workspace."""
    known = {_key(fill) for fill in own.fills}
    return tuple(f for f in venue.fills if _key(f) not in known and not own.has_order_of(f))


def compare_balances(
    before: Baseline, now: Baseline, sides: Iterable[tuple[OwnSide, VenueSide]]
) -> tuple[BalanceDifference, ...]:
    """Every asset that either side says has changed. An open perp position holds what it cost."""
    own: dict[str, Decimal] = defaultdict(Decimal)
    others: dict[str, Decimal] = defaultdict(Decimal)
    kept: dict[str, Decimal] = defaultdict(Decimal)
    funding: dict[str, Decimal] = defaultdict(Decimal)
    rounded: set[str] = set()
    for ours, venue in sides:
        instrument = venue.instrument
        _count(own, instrument, (fill for fill in ours.fills if fill.at_ns > before.at_ns))
        _count(others, instrument, (fill for fill in others_fills(ours, venue) if fill.at_ns > before.at_ns))
        if instrument.kind is MarketKind.PERP:
            rounded.add(instrument.quote)
            funding[instrument.quote] += _paid(venue, before.at_ns)
            kept[instrument.quote] += _cost(now, instrument) - _cost(before, instrument)
    return tuple(
        _balance(
            (asset, before, now),
            own=own[asset] + kept[asset],
            funding=funding[asset],
            others=others[asset],
            is_rounded=asset in rounded,
        )
        for asset in sorted(before.totals.keys() | now.totals.keys() | own.keys())
        if now.totals.get(asset, 0) != before.totals.get(asset, 0) or own[asset]
    )


def baseline(at_ns: int, totals: Mapping[str, Decimal], venues: Iterable[VenueSide]) -> Baseline:
    """How the account stands now."""
    costs = {
        venue.instrument.symbol: venue.instrument.size(venue.position.lots) * (venue.position.entry_price or 0)
        for venue in venues
        if venue.position is not None and venue.instrument.kind is MarketKind.PERP
    }
    return Baseline(at_ns=at_ns, totals=dict(totals), costs=costs)


def _balance(
    looks: tuple[str, Baseline, Baseline], *, own: Decimal, funding: Decimal, others: Decimal, is_rounded: bool
) -> BalanceDifference:
    asset, before, now = looks
    change = now.totals.get(asset, Decimal(0)) - before.totals.get(asset, Decimal(0))
    unexplained = change - own - funding - others
    within = is_rounded and abs(unexplained) <= ROUNDED_AWAY
    return BalanceDifference(
        asset=asset,
        change=change,
        own=own,
        funding=funding,
        others=others,
        unexplained=Decimal(0) if within else unexplained,
    )


def _paid(venue: VenueSide, since_ns: int) -> Decimal:
    return sum((paid.amount for paid in venue.funding if paid.at_ns > since_ns), Decimal(0))


def _count(moved: dict[str, Decimal], instrument: Instrument, fills: Iterable[Fill]) -> None:
    """What fills and their fees did to balances; a perp's base is no balance."""
    for fill in fills:
        if instrument.kind is MarketKind.SPOT:
            moved[instrument.base] += instrument.size(fill.lots) * fill.side.sign
        moved[instrument.quote] -= instrument.notional(fill.ticks, fill.lots) * fill.side.sign
        moved[fill.fee_asset] -= fill.fee


def _cost(look: Baseline, instrument: Instrument) -> Decimal:
    return look.costs.get(instrument.symbol, Decimal(0))


def _key(fill: Fill) -> tuple[str, str]:
    return fill.trade_id, fill.venue_order_id


def _lots(fills: Iterable[Fill]) -> int:
    return sum(fill.lots * fill.side.sign for fill in fills)
