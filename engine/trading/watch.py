"""Watches what a bot makes and loses as a whole, and remembers when it must stop (`engine.risk.stops`).

Only what is known counts: while a leg's book or fills are not, there is no net profit, nothing trips, and nothing
is added to any position (law 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec.structs import replace

from engine.model.value import Value
from engine.risk.stops import (
    RESUMED,
    Stops,
    drawdown_pct,
    follow,
    is_watched,
    latched,
    trip_of_money,
    trip_of_rejects,
)
from engine.spec.types import RiskSpec
from engine.trading.budgets import Budgets
from engine.trading.leg import Leg
from engine.trading.records import Note, Record

UNKNOWN = "what was lost is unknown"


class MoneyStatus(Value, frozen=True, kw_only=True):
    """How the whole bot stands, in quote; None is unknown. Profit and loss count from the first fill, or from the
    last resume after a trip; nothing is followed while no limit asks for it."""

    net_pnl: Decimal | None = None
    day_pnl: Decimal | None = None
    drawdown_pct: Decimal | None = None
    rejects_in_a_row: int = 0


class Watch:
    """One bot's stops. Changes nothing of its legs but whether they may add; the leg that only hedges always may,
    because what it would not add stays open."""

    def __init__(self, legs: Mapping[str, Leg], stops: Stops | None, hedge: str | None = None) -> None:
        self._legs, self._stops = legs, stops
        self._adding = [leg for name, leg in legs.items() if name != hedge]
        self._records: list[Record] = []
        self._day, self._day_pnl_usd = 0, Decimal(0)

    @property
    def trip(self) -> str:
        """Why the bot has tripped; empty while it has not, or was resumed."""
        return self._stops.trip if self._stops else ""

    @property
    def is_held(self) -> bool:
        """Whether the trip is known to have become a hold."""
        return self._stops is not None and self._stops.is_held

    @property
    def is_over(self) -> bool:
        """Whether nothing of a tripped bot rests any more and its position is as declared."""
        return self._stops is not None and self._stops.is_over

    @property
    def net_usd(self) -> Decimal | None:
        """Realised and unrealised profit after fees, and funding, over all legs: own fills and payments only."""
        total = Decimal(0)
        for leg in self._legs.values():
            net = None if leg.why_not else leg.net_pnl
            if net is None:
                return None
            total += net
        return total

    def look(self, risk: RiskSpec, budgets: Budgets, now_ns: int) -> None:
        """Take in how the bot stands now; latch a trip when it, or a budget it shares, has gone too far."""
        words = trip_of_rejects(self._rejects, risk)
        if is_watched(risk) or budgets.specs:
            words = self._look_at_money(risk, budgets, now_ns) or words
        else:
            self._block("")
        if words and not self.trip:
            self._trip(words, now_ns)

    def _look_at_money(self, risk: RiskSpec, budgets: Budgets, now_ns: int) -> str:
        net_usd, others_usd = self.net_usd, budgets.others_day_pnl(now_ns)
        if net_usd is None or (others_usd is None and budgets.specs):
            self._block(UNKNOWN)
            return ""
        self._block("")
        if self._stops is not None and self.trip:
            self._day_pnl_usd = net_usd - self._stops.day_start_usd
            return ""
        stops = follow(self._stops, net_usd, now_ns)
        if self._stops is not None and self._stops.base_usd is None:
            stops = replace(stops, others_usd=others_usd or {})
        self._remember(stops)
        self._day, self._day_pnl_usd = stops.day, net_usd - stops.day_start_usd
        return trip_of_money(stops, net_usd, risk) or budgets.trip(self._day_pnl_usd, stops.others_usd, now_ns)

    @property
    def day_pnl(self) -> tuple[int, Decimal]:
        """The last day that was followed, and what the bot had made of it when that was known last."""
        return self._day, self._day_pnl_usd

    def held(self, why: str, now_ns: int) -> None:
        """The bot is under a trip's hold; one that does not remember why is told."""
        if not self.trip:
            self._trip(why, now_ns)
        self._remember(replace(self._stops or RESUMED, is_held=True))

    def over(self) -> None:
        """The tripped bot came to rest as declared."""
        if self.trip:
            self._remember(replace(self._stops or RESUMED, is_over=True))

    def resumed(self, now_ns: int) -> None:
        """A person says that it may go on: what led to a trip does not count again."""
        for leg in self._legs.values():
            leg.rejects_in_a_row = 0
        if self.trip:
            self._note(now_ns, "resumed after a trip", was=self.trip)
            self._remember(RESUMED)

    def take_records(self) -> list[Record]:
        """What the journal must keep of the step that ends now."""
        taken, self._records = self._records, []
        return taken

    def status(self, risk: RiskSpec) -> MoneyStatus:
        net_usd, stops = self.net_usd, self._stops
        if net_usd is None or stops is None or stops.base_usd is None:
            return MoneyStatus(net_pnl=net_usd, rejects_in_a_row=self._rejects)
        return MoneyStatus(
            net_pnl=net_usd - stops.base_usd,
            day_pnl=net_usd - stops.day_start_usd,
            drawdown_pct=drawdown_pct(stops, net_usd, risk.capital_usd) if risk.capital_usd else None,
            rejects_in_a_row=self._rejects,
        )

    @property
    def _rejects(self) -> int:
        return sum(leg.rejects_in_a_row for leg in self._legs.values())

    def _trip(self, words: str, now_ns: int) -> None:
        self._remember(latched(self._stops or RESUMED, words))
        self._note(now_ns, "tripped", why=words)

    def _block(self, why: str) -> None:
        for leg in self._adding:
            leg.money_why_not = why

    def _remember(self, stops: Stops) -> None:
        if stops != self._stops:
            self._stops = stops
            self._records.append(stops)

    def _note(self, now_ns: int, what: str, **facts: str) -> None:
        self._records.append(Note(at_ns=now_ns, leg="", what=what, facts=dict(facts)))
