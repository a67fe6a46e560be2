"""What a bot may use of budgets that it shares (`budgets` of fleet.yaml).

Its share of each is claimed outside, under a lock, before any order is sent that needs it; here it only comes in as
an event, and orders stay within it. So two bots can never both take the last room. A share that was not heard of
lately is unknown, and nothing is added on it (law 1).
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
from engine.trading.exposure import worst_lots, worth
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

    def __init__(self, legs: Mapping[str, Leg], spec: BotSpec) -> None:
        self._legs = legs
        self._wanted: dict[str, tuple[int, int]] = {}
        """Lots that the last target wants to buy and to sell, by leg."""
        self._shares: Mapping[str, Share] = {}
        self._read_ns = 0
        self.limit_by(spec)
        for name, leg in legs.items():
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
            has = [self._claim(name, wants=False) for name in self._concerned(budget)]
            wants = [self._claim(name, wants=True) for name in self._concerned(budget)]
            if None in has or None in wants:
                return None
            needs[budget] = Need(has=_sum(has), wants=_sum(wants))
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
            if leg not in self._concerned(budget):
                continue
            claims = [self._claim(name, wants=False) for name in self._concerned(budget)]
            if None in claims or not self._is_fresh(now_ns):
                yield Room(budget=budget, why_not=f"what is left of the budget of the {budget} is unknown")
                continue
            has, share = _sum(claims), self._shares[budget]
            yield Room(
                budget=budget,
                long_usd=None if share.long_usd is None else share.long_usd - has.long_usd,
                short_usd=None if share.short_usd is None else share.short_usd - has.short_usd,
                gross_usd=None if share.gross_usd is None else share.gross_usd - has.gross_usd,
            )

    def _concerned(self, budget: str) -> list[str]:
        """The legs that a budget is about."""
        legs = self._spec.legs
        return [name for name in self._legs if budget in ("fleet", f"account {legs[name].account}")]

    def _claim(self, name: str, *, wants: bool) -> Claim | None:
        leg = self._legs[name]
        buys, sells = self._wanted.get(name, (0, 0)) if wants else (0, 0)
        long_lots, short_lots = worst_lots(leg, at_least_buys=buys, at_least_sells=sells)
        long_usd, short_usd = worth(leg, long_lots), worth(leg, short_lots)
        if long_usd is None or short_usd is None:
            return None
        return Claim(long_usd=long_usd, short_usd=short_usd, gross_usd=max(long_usd, short_usd))


def _sum(claims: list[Claim | None]) -> Claim:
    known = [claim for claim in claims if claim is not None]
    return Claim(
        long_usd=sum((claim.long_usd for claim in known), _NOTHING),
        short_usd=sum((claim.short_usd for claim in known), _NOTHING),
        gross_usd=sum((claim.gross_usd for claim in known), _NOTHING),
    )
