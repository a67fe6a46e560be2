"""What a bot may use of budgets that it shares (`budgets` of fleet.yaml).

Its share of each is claimed outside, under a lock, before any order is sent that needs it; here it only comes in as
an event, and orders stay within it. So two bots can never both take the last room. A share that was not heard of
lately is unknown, and nothing is added on it (law 1). Only a hedge asks for no room: it was claimed with the quote
that it hedges, and a fill that nobody hedges is worse than any budget that is passed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial

from engine.clock import NS_PER_S
from engine.model.budgets import Claim, Share
from engine.model.events import BudgetsRead
from engine.model.order import Side
from engine.model.target import Target
from engine.model.value import Value
from engine.risk.guard import Room
from engine.spec.types import BotSpec, BudgetSpec
from engine.strategies.interface import HedgeRule
from engine.trading.claims import Claims
from engine.trading.leg import Leg

FRESH_NS = 5 * NS_PER_S
_NOTHING = Decimal(0)


class Need(Value, frozen=True, kw_only=True):
    """What a bot has of a budget now, and what it would have with all that its strategy wants."""

    has: Claim
    wants: Claim


class BudgetStatus(Value, frozen=True, kw_only=True):
    """What all bots of a budget use of it, in quote."""

    net: Decimal
    gross: Decimal
    day_pnl: Decimal
    limits: BudgetSpec


class Budgets:
    """One bot's shared budgets by name: `fleet`, `account NAME`."""

    def __init__(self, legs: Mapping[str, Leg], spec: BotSpec, rule: HedgeRule | None = None) -> None:
        self._legs = legs
        self._claims = Claims(legs, rule)
        self._wanted: dict[str, tuple[int, int]] = {}
        """Lots that the last target wants to buy and to sell, by leg."""
        self._shares: Mapping[str, Share] = {}
        self._read_ns = 0
        self.limit_by(spec)
        for name, leg in legs.items():
            if rule is None or name != rule.hedge:
                leg.rooms = partial(self._rooms_of, name)

    def limit_by(self, spec: BotSpec) -> None:
        """Other budgets, from now on."""
        self._spec = spec
        self.specs: dict[str, BudgetSpec] = spec.shared_budgets

    def read(self, event: BudgetsRead) -> None:
        self._shares, self._read_ns = event.shares, event.at_ns

    def want(self, target: Target) -> None:
        """Remember how much a target would have open, for the next claim."""
        if not self.specs:
            return
        for name, wanted in target.items():
            lots = {side: sum(quote.lots for quote in wanted.quotes if quote.side is side) for side in Side}
            if wanted.inventory is not None:
                missing = wanted.inventory.lots - self._legs[name].held_lots
                lots[Side.BUY if missing > 0 else Side.SELL] += abs(missing)
            self._wanted[name] = (lots[Side.BUY], lots[Side.SELL])

    def needs(self) -> dict[str, Need] | None:
        """By budget; None while a position has no price or was not asked for: then nobody can say."""
        if not all(leg.was_synced for leg in self._legs.values()):
            return None
        needs = {}
        for budget in self.specs:
            concerned = self._concerned(budget)
            has, wants = self._claims.of(concerned, {}), self._claims.of(concerned, self._wanted)
            if has is None or wants is None:
                return None
            needs[budget] = Need(has=has, wants=wants)
        return needs

    def status(self, day_pnl_usd: Decimal) -> dict[str, BudgetStatus]:
        """How much of every budget is used, as of the last look."""
        return {
            name: BudgetStatus(
                net=max(share.claimed.long_usd, share.claimed.short_usd),
                gross=share.claimed.gross_usd,
                day_pnl=day_pnl_usd + share.others_day_pnl_usd,
                limits=spec,
            )
            for name, spec in self.specs.items()
            if (share := self._shares.get(name)) is not None
        }

    # Losses -------------------------------------------------------------------------------------------------

    def others_day_pnl(self, now_ns: int) -> dict[str, Decimal] | None:
        """What the others of each budget made today; None while that is unknown."""
        if not self._is_fresh(now_ns):
            return None
        return {name: self._shares[name].others_day_pnl_usd for name in self.specs}

    def trip(self, day_pnl_usd: Decimal, others_usd: Mapping[str, Decimal], now_ns: int) -> str:
        """Why the bot must stop for what a whole budget lost today; empty while it need not. `others_usd` had been
        made by the others when this one was resumed, and does not count again."""
        others = self.others_day_pnl(now_ns) or {}
        for name, spec in self.specs.items():
            limit = spec.max_daily_loss_usd
            lost = -(day_pnl_usd + others.get(name, _NOTHING) - others_usd.get(name, _NOTHING))
            if limit is not None and name in others and lost >= limit:
                return f"max_daily_loss_usd of the {name}: its bots lost {lost:.2f} today, the limit is {limit:.2f}"
        return ""

    # Room ---------------------------------------------------------------------------------------------------

    def _is_fresh(self, now_ns: int) -> bool:
        return now_ns - self._read_ns <= FRESH_NS and self.specs.keys() <= self._shares.keys()

    def _rooms_of(self, leg: str, now_ns: int) -> tuple[Room, ...]:
        return tuple(self._rooms(leg, now_ns)) if self.specs else ()

    def _rooms(self, leg: str, now_ns: int) -> Iterator[Room]:
        for budget in self.specs:
            concerned = self._concerned(budget)
            if self._claims.concern(leg, concerned):
                is_fresh = self._is_fresh(now_ns)
                room = self._claims.room(budget, self._shares[budget], concerned) if is_fresh else None
                unknown = f"what is left of the budget of the {budget} is unknown"
                yield room or Room(budget=budget, why_not=unknown)

    def _concerned(self, budget: str) -> list[str]:
        """The legs that a budget is about."""
        legs = self._spec.legs
        return [name for name in self._legs if budget in ("fleet", f"account {legs[name].account}")]
