"""Watches that what one leg fills is mirrored by the other: how much is open, since when, and if that is too much.

The open part is the sum of what own fills left on both legs, in exact base units, so it is right after a restart
and whatever the lots of the two markets are. Nothing here trades: the strategy owes the hedge, the desk sends it.
"""

from __future__ import annotations

from decimal import Decimal

from engine.clock import NS_PER_S
from engine.model.instrument import plain
from engine.model.value import Value
from engine.strategies.interface import HedgeRule
from engine.trading.durations import DurationStatus
from engine.trading.leg import Leg
from engine.trading.tally import Timed


class HedgeStatus(Value, frozen=True, kw_only=True):
    """`residual` is what is not hedged, in base, signed as a position; `alarm` says why quoting is stopped, empty
    while all is well. `time_to_hedge` runs from the fill that opened a residual to its end, in this process."""

    residual: Decimal
    open_since_ns: int | None
    alarm: str
    time_to_hedge: DurationStatus


class HedgeWatch:
    """The state of one hedge. `look` after every event that may have changed a leg."""

    def __init__(self, rule: HedgeRule, maker: Leg, hedge: Leg) -> None:
        self._rule, self._maker, self._hedge = rule, maker, hedge
        self._since_ns: int | None = None
        self.alarm = ""

    def apply(self, rule: HedgeRule) -> None:
        """Other limits, from now on."""
        self._rule = rule

    @property
    def residual(self) -> Decimal:
        return self._maker.held_base + self._hedge.held_base

    @property
    def is_open(self) -> bool:
        """Whether there is enough to hedge; less than the smallest order waits for more."""
        leg = self._hedge
        return abs(self.residual) >= leg.instrument.size(self._rule.least_lots(leg.instrument, leg.bids))

    @property
    def due_ns(self) -> int | None:
        """When what is open will have been open for too long."""
        if self._since_ns is None or self.alarm:
            return None
        return self._since_ns + int(self._rule.escalate_after_s * NS_PER_S)

    def remember(self, filled_ns: int) -> None:
        """A fill of an earlier life was counted: what it opened is open since then."""
        if not self.is_open:
            self._since_ns = None
        elif self._since_ns is None:
            self._since_ns = filled_ns

    def look(self, now_ns: int) -> None:
        """Note when a residual opens and ends, and raise or lift the alarm."""
        if self.is_open:
            self._since_ns = now_ns if self._since_ns is None else min(self._since_ns, now_ns)
        elif self._since_ns is not None:
            self._hedge.tally.timed(Timed.HEDGE, now_ns - self._since_ns)
            self._since_ns = None
        self._judge(now_ns)

    def status(self) -> HedgeStatus:
        return HedgeStatus(
            residual=self.residual,
            open_since_ns=self._since_ns,
            alarm=self.alarm,
            time_to_hedge=self._hedge.tally.run.durations[Timed.HEDGE].status(),
        )

    def _judge(self, now_ns: int) -> None:
        """Say it once when it begins and once when it ends; the words keep the reason it began with."""
        reason = self._reason(now_ns)
        if reason and not self.alarm:
            self.alarm = reason
            residual, refused = plain(self.residual), self._hedge.take_refused
            self._hedge.alarm(
                now_ns, "hedge alarm: quoting stopped", why=reason, residual=residual, refused=refused
            )
        elif self.alarm and not reason:
            self.alarm = ""
            self._hedge.note(now_ns, "hedge alarm over", residual=plain(self.residual))

    def _reason(self, now_ns: int) -> str:
        rule, base = self._rule, self._hedge.instrument.base
        if abs(self.residual) > rule.max_unhedged:
            return f"more than {plain(rule.max_unhedged)} {base} not hedged"
        open_ns = 0 if self._since_ns is None else now_ns - self._since_ns
        if self._since_ns is not None and open_ns >= rule.escalate_after_s * NS_PER_S:
            return f"not hedged for {plain(rule.escalate_after_s)} s"
        return ""
