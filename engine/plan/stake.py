"""What an action does to a bot's orders and position, from what its engine says. Unknown stays unknown."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

import msgspec

from engine.model.account import Stake
from engine.plan.actions import Kind
from engine.plan.money import FlattenCost, LegMoney, Money, PositionEffect
from engine.plan.observed import Engine, Leg
from engine.plan.view import BotView
from engine.spec.types import BotSpec, StopPolicy

_POLICIES = {
    StopPolicy.KEEP: PositionEffect.KEPT,
    StopPolicy.REDUCE: PositionEffect.REDUCED,
    StopPolicy.FLATTEN: PositionEffect.FLATTENED,
}
_NOTHING = Stake()


def stake(seen: BotView, kind: Kind, wanted: BotSpec | None = None) -> Money:
    """Orders that will be cancelled and what becomes of the position, by leg; for a bot that is to run, also what
    it may come to hold."""
    effect = _position_effect(seen, kind)
    if isinstance(seen.engine, Engine):
        return Money(position=effect, legs=_of_engine(seen.engine, kind, effect, wanted))
    if seen.is_applied or seen.engine is not None or kind.stops_process:
        return Money(position=effect, legs=_of_silence(seen, effect))
    return Money()


def dropped(money: Money, gone: Collection[str]) -> Money:
    """The same when the simulated venues under these legs start over: all that was there is gone."""
    legs = {
        name: msgspec.structs.replace(leg, notional_after=Decimal(0), dropped=True) if name in gone else leg
        for name, leg in money.legs.items()
    }
    effect = PositionEffect.DROPPED if legs.keys() <= set(gone) else money.position
    return msgspec.structs.replace(money, position=effect, legs=legs)


def _position_effect(seen: BotView, kind: Kind) -> PositionEffect:
    """Every stop does what the running spec declares, also that of a process nobody supervises before its bot is
    started; a bot that comes straight back, under whichever name, keeps its position, and what is down can trade
    nothing."""
    takes_over = kind.starts_process and isinstance(seen.engine, Engine)
    if not kind.stops_process and not takes_over:
        return PositionEffect.UNTOUCHED
    if seen.spec is None or not seen.is_up or kind is Kind.RESTART or seen.goes_on_as:
        return PositionEffect.KEPT
    return _POLICIES[seen.spec.process.stop_policy]


def _of_engine(engine: Engine, kind: Kind, effect: PositionEffect, wanted: BotSpec | None) -> dict[str, LegMoney]:
    return {name: _leg(name, engine, kind, effect, wanted) for name in engine.legs}


def _leg(name: str, engine: Engine, kind: Kind, effect: PositionEffect, wanted: BotSpec | None) -> LegMoney:
    leg = engine.legs[name]
    stake = engine.stakes.get(name, _NOTHING) if leg.ready else _NOTHING
    orders, stays = leg.orders if leg.ready else None, effect is PositionEffect.UNTOUCHED
    after = _after(stake.notional, effect)
    return LegMoney(
        market=leg.market,
        account=leg.account,
        orders_cancelled=0 if stays else orders,
        orders_kept=orders if stays else 0,
        position=leg.position if leg.ready else None,
        notional=stake.notional,
        notional_after=after,
        flatten_cost=_cost(stake),
        worst=stake.worst,
        worst_after=_left(after) if _ends(kind) else _limit(stake.price, _if_there(wanted, name, leg)),
        margin_used=stake.margin_used,
        margin_free=stake.margin_free,
        margin_age_s=stake.margin_age_s,
        budget=leg.budget,
        age_s=stake.book_age_s,
    )


def _after(notional: Decimal | None, effect: PositionEffect) -> Decimal | None:
    """How much of a position its orders can reduce before the deadline, nobody knows."""
    if effect is PositionEffect.FLATTENED:
        return Decimal(0)
    if effect is PositionEffect.REDUCED and notional:
        return None
    return notional


def _cost(stake: Stake) -> FlattenCost | None:
    if stake.spread is None or stake.slippage is None or stake.fee is None:
        return None
    return FlattenCost(spread=stake.spread, slippage=stake.slippage, fee=stake.fee)


def _ends(kind: Kind) -> bool:
    return kind in (Kind.STOP, Kind.RETIRE)


def _if_there(wanted: BotSpec | None, name: str, leg: Leg) -> BotSpec | None:
    """The declaration, if it trades where the engine does: the price of another market says nothing of this one."""
    place = wanted.legs.get(name) if wanted else None
    return wanted if place and (place.account, place.market) == (leg.account, leg.market) else None


def _left(after: Decimal | None) -> Decimal | None:
    """With no orders, a bot that ends is left with its position and no more."""
    return None if after is None else abs(after)


def _limit(price: Decimal | None, wanted: BotSpec | None) -> Decimal | None:
    """All that its declared limits let a bot hold."""
    if wanted is None or price is None:
        return None
    if wanted.risk.max_position is not None:
        return wanted.risk.max_position * price
    capital = wanted.strategy.parameters.get("capital")
    return _capital(capital, price) if isinstance(capital, dict) else None


def _capital(capital: dict[str, Any], price: Decimal) -> Decimal | None:
    """On spot the position is what own fills made of the capital: at most, all of it changed into one asset."""
    if not capital.keys() >= {"base", "quote"}:
        return None
    return max(Decimal(str(capital["base"])) * price, Decimal(str(capital["quote"])))


def _of_silence(seen: BotView, effect: PositionEffect) -> dict[str, LegMoney]:
    """Nobody tells: only of a bot that finished its stop procedure it is known that nothing rests."""
    if seen.spec is None:
        return {"main": LegMoney(market="")}
    orders = 0 if seen.process and seen.process.ended_cleanly else None
    cancelled, kept = (0, orders) if effect is PositionEffect.UNTOUCHED else (orders, 0)
    return {
        name: LegMoney(market=leg.market, account=leg.account, orders_cancelled=cancelled, orders_kept=kept)
        for name, leg in seen.spec.legs.items()
    }
