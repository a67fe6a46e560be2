"""What one leg has at stake in money: for plans, which must say what an action would cost. Reckoned when asked.

The book is taken without our own orders: they are cancelled before a position leaves the market. What the book,
the venue or the fills do not tell is None, never zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from engine.clock import NS_PER_MS
from engine.model.account import Stake
from engine.model.events import Level
from engine.model.order import Side
from engine.trading.exposure import worst_lots
from engine.trading.leg import Leg

_OF_THE_LAST_EVENT = 0
"""An instant that lets no order of ours linger out of the book: only events move time."""


def leg_stake(leg: Leg, now_ns: int) -> Stake:
    """One leg as it stands now; nothing of it while the leg does not know its orders or its book."""
    twice_mid = leg.twice_mid_ticks
    if leg.why_not or twice_mid is None:
        return Stake()
    instrument, held = leg.instrument, leg.held_lots
    spread, slippage, fee = _costs(leg, held, twice_mid)
    return Stake(
        price=instrument.price(twice_mid) / 2,
        notional=instrument.notional(twice_mid, held) / 2,
        worst=instrument.notional(twice_mid, max(worst_lots(leg))) / 2,
        spread=spread,
        slippage=slippage,
        fee=fee,
        margin_used=(leg.locked or {}).get(instrument.quote),
        margin_free=(leg.available or {}).get(instrument.quote),
        margin_age_s=None if leg.available is None else _age_s(leg.balanced_ns, now_ns),
        book_age_s=_age_s(leg.booked_ns, now_ns),
    )


def _age_s(since_ns: int, now_ns: int) -> Decimal:
    """To the millisecond; what came after the question was asked is new."""
    return Decimal(max(0, now_ns - since_ns) // NS_PER_MS) / 1000


def _costs(leg: Leg, held: int, twice_mid: int) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Spread, slippage and fee; all None where the book is not deep enough to tell."""
    instrument, lots = leg.instrument, abs(held)
    if not lots:
        return Decimal(0), Decimal(0), Decimal(0)
    side = Side.BUY if held > 0 else Side.SELL
    levels = leg.others(side, _OF_THE_LAST_EVENT)
    paid = _tick_lots(levels, lots)
    if paid is None:
        return None, None, None
    best = levels[0][0]
    from_mid = instrument.notional(abs(twice_mid - 2 * best), lots) / 2
    from_best = instrument.notional(abs(paid - best * lots), 1)
    return from_mid, from_best, instrument.notional(paid, 1) * instrument.taker_fee


def _tick_lots(levels: Sequence[Level], lots: int) -> int | None:
    """What so many lots come to, taken from the best level on; None when there are not so many."""
    total = 0
    for ticks, there in levels:
        taken = min(lots, there)
        total, lots = total + taken * ticks, lots - taken
        if not lots:
            return total
    return None
