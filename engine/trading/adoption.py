"""What becomes of position that own fills do not explain, once a person has said it: adopted or ignored.

Adopted, it enters the bot's own books, as a fill that nobody traded. Ignored, it is taken off the venue's figure
from then on: limits, stops and orders are the bot's own affair alone. Both outlive the process.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from engine.model.account import Fill
from engine.model.events import PositionAdopted, PositionIgnored
from engine.model.order import Liquidity, Side
from engine.trading.leg import Leg
from engine.trading.orders import ADOPTED_SLOT
from engine.trading.records import FillRecord, IgnoredRecord


def adopt(leg: Leg, event: PositionAdopted) -> bool:
    """Take it over. False, and nothing is done, when the difference is another one by now or has no price."""
    ticks = event.ticks if event.ticks is not None else entry_ticks(leg)
    if not event.lots or event.lots != leg.difference.lots or ticks is None:
        return False
    record = FillRecord(leg=leg.setup.leg, slot=ADOPTED_SLOT, fill=_fill(leg, event, ticks))
    leg.remember(record)
    leg.records.append(record)
    leg.note(event.at_ns, "position adopted", lots=event.lots, ticks=ticks, who=event.who)
    leg.difference.settled()
    return True


def ignore(leg: Leg, event: PositionIgnored) -> bool:
    """Leave it alone for good. False, and nothing is done, when the difference is another one by now."""
    if not event.lots or event.lots != leg.difference.lots:
        return False
    leg.difference.ignored_lots += event.lots
    leg.records.append(IgnoredRecord(leg=leg.setup.leg, lots=leg.difference.ignored_lots, at_ns=event.at_ns))
    leg.note(event.at_ns, "position ignored", lots=event.lots, in_all=leg.difference.ignored_lots, who=event.who)
    leg.difference.settled()
    return True


def entry_ticks(leg: Leg) -> int | None:
    """At which price the difference enters the books: the venue's entry price, else the mid; None while neither is
    known."""
    if leg.difference.entry_price is not None:
        return _nearest(leg.difference.entry_price / leg.instrument.tick_size)
    return None if leg.twice_mid_ticks is None else _nearest(Decimal(leg.twice_mid_ticks) / 2)


def _fill(leg: Leg, event: PositionAdopted, ticks: int) -> Fill:
    return Fill(
        trade_id=f"{ADOPTED_SLOT}.{event.at_ns}",
        venue_order_id=ADOPTED_SLOT,
        client_id=None,
        side=Side.BUY if event.lots > 0 else Side.SELL,
        ticks=ticks,
        lots=abs(event.lots),
        fee=Decimal(0),
        fee_asset=leg.instrument.quote,
        liquidity=Liquidity.MAKER,
        at_ns=event.at_ns,
        system=True,
    )


def _nearest(ticks: Decimal) -> int:
    return int(ticks.to_integral_value(ROUND_HALF_EVEN))
