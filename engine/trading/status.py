"""How a machine stands, for the control socket, `status` and people."""

from __future__ import annotations

from decimal import Decimal

from engine.model.instrument import plain
from engine.model.value import Value
from engine.trading.adoption import entry_ticks
from engine.trading.budgets import BudgetStatus
from engine.trading.difference import UNEXPLAINED
from engine.trading.hedging import HedgeStatus
from engine.trading.leg import Leg
from engine.trading.records import OrderState
from engine.trading.watch import MoneyStatus

OPEN = (OrderState.SUBMITTED, OrderState.ACCEPTED, OrderState.AMEND_PENDING, OrderState.CANCEL_PENDING)


class LegStatus(Value, frozen=True, kw_only=True):
    """`why_not` says why the leg does not quote, or less than usual; empty while it does.

    Money in quote, sizes in base. `orders` are own orders that rest or are on their way to or from resting;
    `unresolved` ones are counted apart.
    """

    venue: str
    market: str
    ready: bool
    why_not: str
    orders: int
    unresolved: int
    fills: int
    position: Decimal
    venue_position: Decimal | None
    best_bid: Decimal | None
    best_ask: Decimal | None
    bid: Decimal | None
    """Our own best bid, and below our own best ask."""
    ask: Decimal | None
    realised_pnl: Decimal
    unrealised_pnl: Decimal | None
    fees: dict[str, Decimal]
    rebates: dict[str, Decimal] = {}
    equity: tuple[tuple[int, Decimal], ...] = ()
    """Instants in ns and the profit after fees just after a fill then, at that fill's price."""
    peak_drawdown: Decimal = Decimal(0)
    unexplained: Decimal = Decimal(0)
    """Part of the venue's position that own fills do not explain: nothing is added while it is there."""
    ignored: Decimal = Decimal(0)
    """Part of the venue's position that somebody said is not the bot's."""
    adoption_price: Decimal | None = None
    """At which price the unexplained part would enter the bot's books."""
    funding: Decimal = Decimal(0)
    """Received minus paid for holding the position, in quote: the bot's own part."""
    funding_why_not: str = ""
    """Why payments may be missing there; empty while none can be."""


class MachineStatus(Value, frozen=True, kw_only=True):
    """`trip` says why the bot took itself out of trade; empty while it did not."""

    paused: bool
    stopping: bool
    legs: dict[str, LegStatus]
    trip: str = ""
    money: MoneyStatus = MoneyStatus()
    budgets: dict[str, BudgetStatus] = {}
    hedge: HedgeStatus | None = None
    """Of a bot that hedges one leg with another."""


def leg_status(leg: Leg) -> LegStatus:
    """One leg, in the units of people."""
    instrument, books = leg.instrument, leg.accounting
    live = list(leg.orders.live)
    bids = [o.request.ticks for o in live if o.is_settled and o.request.side.sign > 0]
    asks = [o.request.ticks for o in live if o.is_settled and o.request.side.sign < 0]
    twice_mid = leg.twice_mid_ticks
    venue_lots = leg.venue_position.lots
    entry = entry_ticks(leg) if leg.difference.lots else None
    return LegStatus(
        venue=instrument.venue,
        market=instrument.symbol,
        ready=not leg.why_not,
        why_not=leg.why_not or _undecided(leg) or leg.idle_reason,
        orders=sum(order.state in OPEN for order in live),
        unresolved=sum(order.state is OrderState.UNRESOLVED for order in live),
        fills=books.fills,
        position=instrument.size(books.position_lots),
        venue_position=None if venue_lots is None else instrument.size(venue_lots),
        best_bid=instrument.price(leg.bids[0][0]) if leg.bids else None,
        best_ask=instrument.price(leg.asks[0][0]) if leg.asks else None,
        bid=instrument.price(max(bids)) if bids else None,
        ask=instrument.price(min(asks)) if asks else None,
        realised_pnl=books.realised_pnl,
        unrealised_pnl=None if twice_mid is None else books.unrealised_pnl(twice_mid),
        fees=dict(books.fees),
        rebates=dict(books.rebates),
        equity=tuple(books.equity.points),
        peak_drawdown=books.equity.peak_drawdown,
        unexplained=instrument.size(leg.difference.lots),
        ignored=instrument.size(leg.difference.ignored_lots),
        adoption_price=None if entry is None else instrument.price(entry),
        funding=books.funding,
        funding_why_not=leg.funding.why_not,
    )


def _undecided(leg: Leg) -> str:
    """What a person has to decide; empty while there is nothing."""
    if not leg.difference.lots:
        return ""
    size = plain(leg.instrument.size(leg.difference.lots))
    return f"{UNEXPLAINED}: {size} {leg.instrument.base}; `botctl adopt` or `botctl ignore` says what it is"
