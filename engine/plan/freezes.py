"""Times in which nothing is changed: declared windows, and the minutes around a venue's funding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from cronsim import CronSim

from engine.model.value import Value
from engine.spec.types import RolloutSpec

_INSTANT = timedelta(microseconds=1)


class Freeze(Value, frozen=True, kw_only=True):
    """A window that is open now."""

    why: str
    until: datetime


def freezes_at(now: datetime, policy: RolloutSpec | None, fundings: Mapping[str, str]) -> tuple[Freeze, ...]:
    """What forbids changes at this moment. `fundings` is when each venue concerned pays it, as cron in UTC."""
    if policy is None:
        return ()
    return (*_windows(now.astimezone(UTC), policy), *_around_fundings(now.astimezone(UTC), policy, fundings))


def _windows(now: datetime, policy: RolloutSpec) -> Iterator[Freeze]:
    for window in policy.freeze:
        until = _before(window.cron, now) + timedelta(minutes=window.for_minutes)
        if now < until:
            yield Freeze(why=window.why or f"the window `{window.cron}`", until=until)


def _around_fundings(now: datetime, policy: RolloutSpec, fundings: Mapping[str, str]) -> Iterator[Freeze]:
    if policy.freeze_funding_minutes is None:
        return
    margin = timedelta(minutes=policy.freeze_funding_minutes)
    for venue, cron in sorted(fundings.items()):
        for paid_at in (_before(cron, now), next(CronSim(cron, now))):
            if paid_at - margin <= now < paid_at + margin:
                yield Freeze(why=f"{venue} pays funding at {paid_at:%H:%M}", until=paid_at + margin)


def _before(cron: str, now: datetime) -> datetime:
    """The last time it came, this very moment included."""
    return next(CronSim(cron, now + _INSTANT, reverse=True))
