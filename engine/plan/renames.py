"""Bots that go on under another name: `renamed_from` of a new bot names one that is applied and declared no more.

The old process stops and keeps its position, the new one starts from its journal: `engine.runtime.inheriting`.
Once that is applied the key means nothing any more, so a plan straight after is empty.
"""

from __future__ import annotations

from engine.model.value import Value
from engine.plan.desired import Desired
from engine.plan.observed import Observed
from engine.spec.types import BotSpec


class Rename(Value, frozen=True, kw_only=True):
    """One bot's change of name. `why_not` is empty where it is the same bot."""

    old: str
    new: str
    why_not: str


def renames(desired: Desired, observed: Observed) -> tuple[Rename, ...]:
    """What is renamed by this plan, by new name."""
    before = observed.applied.bots if observed.applied else {}
    return tuple(
        Rename(old=old, new=name, why_not=_why_not(before[old], bot.spec))
        for name, bot in sorted(desired.bots.items())
        if (old := bot.spec.renamed_from) in before and old not in desired.bots and name not in before
        if old is not None
    )


def _why_not(old: BotSpec, new: BotSpec) -> str:
    """Accounts, markets and the kind of strategy make the bot what it is."""
    if old.legs != new.legs or old.accounts != new.accounts:
        return "it trades on another account or market"
    return "" if old.strategy.kind == new.strategy.kind else "it runs another strategy"
