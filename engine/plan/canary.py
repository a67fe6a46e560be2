"""Canaries: a bot at a smaller size, and what is held against it while it is watched."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from engine.model.instrument import Instrument, plain
from engine.model.value import Value
from engine.plan.observed import Leg
from engine.spec.schema import fields_of_schema
from engine.spec.types import BotSpec, CanarySpec


def shrunk(spec: BotSpec, size_pct: Decimal, instrument: Instrument | None) -> BotSpec:
    """The bot with its sizes at this share: on the market's lot, and never below the smallest it takes."""
    parameters = dict(spec.strategy.parameters)
    for (*parents, key), field in fields_of_schema(f"strategies/{spec.strategy.kind}"):
        if not parents and field.get("x-scales") and parameters.get(key) is not None:
            whole = Decimal(str(parameters[key]))
            on_grid = instrument if "x-grid" in field else None
            parameters[key] = _as_written(_share(whole, size_pct, on_grid))
    return msgspec.structs.replace(spec, strategy=msgspec.structs.replace(spec.strategy, parameters=parameters))


def _share(whole: Decimal, size_pct: Decimal, instrument: Instrument | None) -> Decimal:
    part = whole * size_pct / 100
    if instrument is None:
        return part
    on_lot = part // instrument.lot_size * instrument.lot_size
    return min(whole, max(on_lot, instrument.min_size, instrument.lot_size))


def _as_written(value: Decimal) -> int | str:
    """Parameters hold whole numbers as integers and others as plain text."""
    return int(value) if value == value.to_integral_value() else plain(value)


class Vitals(Value, frozen=True, kw_only=True):
    """What an engine says of itself at one moment; `net_usd` None is unknown."""

    at_s: float
    fills: int
    net_usd: Decimal | None
    rejects_in_a_row: int
    is_fresh: bool


class Watched(Value, frozen=True, kw_only=True):
    """One canary from the first look to the last."""

    first: Vitals
    last: Vitals
    most_rejects: int
    stale_since_s: float | None = None
    longest_stale_s: float = 0.0


def vitals(reply: dict[str, Any], at_s: float) -> Vitals:
    """Of an engine's status; ValidationError or KeyError when that cannot be understood."""
    legs = msgspec.convert(reply["legs"], dict[str, Leg], strict=False).values()
    risk = reply.get("risk") or {}
    return Vitals(
        at_s=at_s,
        fills=sum(leg.fills for leg in legs),
        net_usd=_net(risk.get("net_pnl"), list(legs)),
        rejects_in_a_row=risk.get("rejects_in_a_row", 0),
        is_fresh=bool(legs) and all(leg.ready for leg in legs),
    )


def _net(watched: str | None, legs: list[Leg]) -> Decimal | None:
    """As the engine follows it; else before fees, which are paid in any asset."""
    if watched is not None:
        return Decimal(watched)
    parts = [part for leg in legs for part in (leg.realised_pnl, leg.unrealised_pnl)]
    known = [Decimal(part) for part in parts if part is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(parts) else None


def watch(seen: Watched | None, now: Vitals) -> Watched:
    """One look more."""
    if seen is None:
        since = None if now.is_fresh else now.at_s
        return Watched(first=now, last=now, most_rejects=now.rejects_in_a_row, stale_since_s=since)
    since = None if now.is_fresh else (now.at_s if seen.stale_since_s is None else seen.stale_since_s)
    begun = seen.stale_since_s if seen.stale_since_s is not None else since
    stale_s = 0.0 if begun is None else now.at_s - begun
    return Watched(
        first=seen.first,
        last=now,
        most_rejects=max(seen.most_rejects, now.rejects_in_a_row),
        stale_since_s=since,
        longest_stale_s=max(seen.longest_stale_s, stale_s),
    )


def trouble(policy: CanarySpec, seen: Watched) -> str:
    """What need not be watched any longer, because it is too much already; nothing while all is within bounds."""
    if policy.max_rejects_in_a_row is not None and seen.most_rejects > policy.max_rejects_in_a_row:
        return f"{seen.most_rejects} orders in a row were rejected, {policy.max_rejects_in_a_row} are allowed"
    if policy.max_stale_s is not None and seen.longest_stale_s > policy.max_stale_s:
        return f"had no fresh data for {seen.longest_stale_s:.0f} s, {plain(policy.max_stale_s)} s are allowed"
    if policy.max_loss_usd is not None and (loss := _loss(seen)) is not None and loss > policy.max_loss_usd:
        return f"lost {plain(loss)} in quote, {plain(policy.max_loss_usd)} are allowed"
    return ""


def verdict(policy: CanarySpec, seen: Watched) -> str:
    """Why the canary is not promoted when its time is over; nothing when it is."""
    if found := trouble(policy, seen):
        return found
    if policy.max_loss_usd is not None and _loss(seen) is None:
        return "what it made or lost is unknown"
    fills = seen.last.fills - seen.first.fills
    if policy.min_fills is not None and fills < policy.min_fills:
        return f"had {fills} fills, {policy.min_fills} are needed"
    return ""


def _loss(seen: Watched) -> Decimal | None:
    if seen.first.net_usd is None or seen.last.net_usd is None:
        return None
    return seen.first.net_usd - seen.last.net_usd
