"""All the counts a venue keeps of one account, as one budget: what may leave is what fits into every one of them.

A session tells here what it sends; a step is offered numbers of commands, so that it never sees a weight.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from engine.exchanges.limits import WeightClass
from engine.model.account import BudgetUse
from engine.model.commands import CancelOrder, Command, SubmitOrder
from engine.trading.records import UNCOUNTED, Budget
from engine.trading.sync import ROUND
from engine.transport.pacing import Pace, Pacing


class _Scale(NamedTuple):
    """One class's bucket, and what the step's units weigh in it."""

    weights: WeightClass
    pace: Pace
    submit: int
    cancel: int
    round: int

    @classmethod
    def of(cls, one: WeightClass, pace: Pace) -> _Scale:
        return cls(one, pace, one.cost(SubmitOrder), one.cost(CancelOrder), round_weight(one))


class Scales:
    """The weight classes of one account and their buckets."""

    def __init__(self, paces: Iterable[tuple[WeightClass, Pace]]) -> None:
        self._scales = [_Scale.of(one, pace) for one, pace in paces]
        self._round_size = max((_in_commands(scale) for scale in self._scales), default=0)

    def budget(self, now_ns: int) -> Budget:
        """How many commands of each kind may leave now."""
        left = [(scale, scale.pace.budget(now_ns)) for scale in self._scales]
        return Budget(
            reduce=_fewest((each.reduce, scale.submit) for scale, each in left),
            cancel=_fewest((each.cancel, scale.cancel) for scale, each in left),
            place=_fewest((each.place, scale.submit) for scale, each in left),
            rounds=_fewest((each.cancel, scale.round) for scale, each in left),
            round_size=self._round_size,
        )

    def spent(self, command: Command | None, now_ns: int) -> None:
        """A command has left, or (None) another request."""
        for scale in self._scales:
            if weight := scale.weights.weigh(command):
                scale.pace.spent(weight, now_ns)

    def rate_limited(self, command: Command, now_ns: int) -> None:
        """The venue refused this command for want of budget: every class that counts it slows down."""
        for scale in self._scales:
            if scale.weights.weigh(command):
                scale.pace.rate_limited(now_ns)

    def use(self, now_ns: int) -> dict[str, BudgetUse]:
        """How every class stands, by its name."""
        return {scale.weights.name: scale.pace.use(now_ns) for scale in self._scales}


def own_scales(classes: Iterable[WeightClass], now_ns: int) -> Scales:
    """For an account that nobody else uses: every bucket in memory, and full."""
    return Scales([(one, Pacing(one.per_minute, now_ns)) for one in classes])


def round_weight(weights: WeightClass) -> int:
    """What a leg's round of questions weighs."""
    return sum(weights.cost(question) for question in ROUND)


def _in_commands(scale: _Scale) -> int:
    """How many commands a round of questions takes the place of, rounded up."""
    dearest = max(scale.submit, scale.cancel)
    return -(-scale.round // dearest) if dearest else 0


def _fewest(allowances: Iterable[tuple[int, int]]) -> int:
    """How often a weight fits into what is left, where it fits least."""
    return min((left // weight for left, weight in allowances if weight), default=UNCOUNTED)
