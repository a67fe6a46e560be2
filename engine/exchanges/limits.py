"""What a venue counts when it limits its users: each count is a weight class, with a bucket of its own (law 12).

A venue declares its classes among its facts, and in each what its commands weigh. Whoever sends adds up; nothing
else needs to know of weights.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.model.commands import Batch, Command
from engine.model.value import Value

REQUESTS = "requests"
"""The class of venues that count requests alike, whatever they ask; a fleet's own cap is counted in it too."""


class WeightClass(Value, frozen=True, kw_only=True):
    """One count of a venue. `costs` tells what commands weigh in it; what is not named there, logins and questions
    for the time included, weighs `other`. A batch that is not named weighs what its items do.

    `per_address`: the venue counts by network address, so that accounts behind one address share the bucket.
    """

    name: str
    per_minute: int
    costs: Mapping[type[Command], int] = {}
    other: int = 0
    per_address: bool = False

    def cost(self, command: type[Command] | None) -> int:
        """What a command weighs, or, for None, a request that is none."""
        return self.costs.get(command, self.other) if command is not None else self.other

    def weigh(self, command: Command | None) -> int:
        """As `cost`, of one command."""
        if isinstance(command, Batch) and Batch not in self.costs:
            return sum(self.cost(type(item)) for item in command.items)
        return self.cost(None if command is None else type(command))


def plain_class(per_minute: int) -> WeightClass:
    """Every request weighs the same."""
    return WeightClass(name=REQUESTS, per_minute=per_minute, other=1)
