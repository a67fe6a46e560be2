"""What an action does to a bot's orders and position. What is not known stays unknown (law 9)."""

from __future__ import annotations

from engine.plan.actions import Kind, LegMoney, Money, PositionEffect
from engine.plan.observed import Engine
from engine.plan.view import BotView
from engine.spec.types import StopPolicy

_POLICIES = {
    StopPolicy.KEEP: PositionEffect.KEPT,
    StopPolicy.REDUCE: PositionEffect.REDUCED,
    StopPolicy.FLATTEN: PositionEffect.FLATTENED,
}


def stake(seen: BotView, kind: Kind) -> Money:
    """Orders that will be cancelled and what becomes of the position, by leg."""
    if not kind.stops_process:
        return Money()
    return Money(position=_position_effect(seen, kind), legs=_legs(seen))


def _position_effect(seen: BotView, kind: Kind) -> PositionEffect:
    """Every stop does what the running spec declares; a bot that comes straight back, under whichever name,
    keeps its position, and what is down can trade nothing."""
    if seen.spec is None or not seen.is_up or kind is Kind.RESTART or seen.goes_on_as:
        return PositionEffect.KEPT
    return _POLICIES[seen.spec.process.stop_policy]


def _legs(seen: BotView) -> dict[str, LegMoney]:
    if isinstance(seen.engine, Engine):
        return {
            name: LegMoney(
                market=leg.market,
                orders_cancelled=leg.orders if leg.ready else None,
                position=leg.position if leg.ready else None,
            )
            for name, leg in seen.engine.legs.items()
        }
    if seen.spec is None:
        return {"main": LegMoney(market="", orders_cancelled=None, position=None)}
    gone = 0 if seen.process and seen.process.ended_cleanly else None
    return {
        name: LegMoney(market=leg.market, orders_cancelled=gone, position=None)
        for name, leg in seen.spec.legs.items()
    }
