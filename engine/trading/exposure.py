"""What a leg may come to hold: its position with all that is open, and what that leaves room and money for.

All reckon with the worst: of two figures of the position, and of two terms of an order that is being amended.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from engine.model.instrument import MarketKind
from engine.model.order import Side
from engine.model.target import Funds, Quote
from engine.risk.guard import Exposure
from engine.trading.leg import Leg
from engine.trading.lifecycle import OwnOrder


def exposure(leg: Leg, now_ns: int, without: OwnOrder | None = None) -> Exposure:
    """What the guard weighs: the worse of both positions, and everything that may still execute, without the order
    whose change is under review."""
    most, least = _worse_positions(leg)
    return Exposure(
        long_most_lots=most,
        short_most_lots=least,
        venue_position_lots=leg.venue_position_now,
        open_buy_lots=leg.orders.open_lots(Side.BUY, without),
        open_sell_lots=leg.orders.open_lots(Side.SELL, without),
        open_notional=_open_notional(leg, without),
        orders_last_minute=leg.sent.last_minute(now_ns),
        twice_mid_ticks=leg.twice_mid_ticks,
        mark=leg.fresh_mark(now_ns),
        adding_blocked=leg.adding_blocked,
        rooms=leg.rooms(now_ns),
    )


def worst_lots(leg: Leg, *, at_least_buys: int = 0, at_least_sells: int = 0) -> tuple[int, int]:
    """How long and how short the leg would be if all that is open, or at least so much, were filled."""
    most, least = _worse_positions(leg)
    buys = max(at_least_buys, leg.orders.open_lots(Side.BUY))
    sells = max(at_least_sells, leg.orders.open_lots(Side.SELL))
    return most + buys, sells - least


def worth(leg: Leg, lots: int) -> Decimal | None:
    """Value in quote at the newest mid; None for lots of which the price is unknown."""
    twice_mid = leg.twice_mid_ticks
    if twice_mid is None:
        return None if lots else Decimal(0)
    return leg.instrument.notional(twice_mid, lots) / 2


def reducible_lots(leg: Leg, side: Side) -> int:
    """How much an order of this side may reduce: never more than the venue's position (on spot, than own fills
    left), less what is on its way already or rests. All of it while that is unknown: the guard then refuses, and
    says why."""
    held = leg.held_lots if leg.instrument.kind is MarketKind.SPOT else leg.venue_position_now
    if held is None:
        return abs(leg.accounting.position_lots)
    return max(0, -held * side.sign - leg.orders.open_lots(side))


def bearable(leg: Leg, quotes: tuple[Quote, ...]) -> tuple[Quote, ...]:
    """The quotes that may rest: all of them, or while nothing may be added those that reduce the position."""
    if not leg.adding_blocked:
        return quotes
    held = leg.accounting.position_lots
    left, chosen = abs(held), list[Quote]()
    for quote in quotes:
        if quote.side.sign * held < 0 and quote.lots <= left:
            left -= quote.lots
            chosen.append(quote)
    return tuple(chosen)


def unflagged(leg: Leg, quotes: tuple[Quote, ...]) -> tuple[Quote, ...]:
    """As they may be sent. A venue holds reduce-only against its whole position: beside a part of it that is not
    ours it would refuse what closes our own, so nothing carries the flag; sizes keep to our own books anyway."""
    if not leg.difference.ignored_lots:
        return quotes
    return tuple(replace(quote, reduce_only=False) for quote in quotes)


def affordable_lots(leg: Leg, funds: Funds, side: Side, ticks: int, without: OwnOrder | None = None) -> int:
    """What the funds still pay for, after everything else that rests, is under way, or waits for its fill."""
    instrument, mine = leg.instrument, [o for o in leg.orders.without(without) if o.request.side is side]
    if side is Side.SELL:
        return instrument.lots_within(max(Decimal(0), funds.base)) - sum(o.at_risk_lots for o in mine)
    promised = sum(o.most_ticks * o.at_risk_lots for o in mine) * instrument.notional(1, 1)
    return instrument.lots_within(max(Decimal(0), funds.quote - promised) / instrument.price(max(ticks, 1)))


def _worse_positions(leg: Leg) -> tuple[int, int]:
    """The longest and the shortest that the own and the venue's figure allow for; on spot, where fees taken in base
    leave part of a lot, in whole lots to either side."""
    if leg.instrument.kind is MarketKind.SPOT:
        held = leg.held_base
        return leg.instrument.lots_covering(held), leg.instrument.lots_within(held)
    own, venue = leg.held_lots, leg.venue_position_now
    other = own if venue is None else venue
    return max(own, other), min(own, other)


def _open_notional(leg: Leg, without: OwnOrder | None) -> Decimal:
    units = sum(order.most_ticks * order.remaining_lots for order in leg.orders.without(without))
    return units * leg.instrument.notional(1, 1)
