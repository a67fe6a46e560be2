"""What of a step's commands leaves in one request. Pure; the order of the commands stays as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import cast

from engine.exchanges.interface import BatchRule
from engine.model.commands import Batch, BatchItems, CancelOrder, Command, SubmitOrder
from engine.model.order import TimeInForce


def batched(commands: Sequence[Command], rule: BatchRule) -> Iterator[Command]:
    """The commands, with neighbours of one kind put together as far as the venue allows; one alone stays alone."""
    for kind, neighbours in groupby(commands, key=_kind):
        most = {SubmitOrder: rule.orders, CancelOrder: rule.cancels}.get(kind, 1)
        while taken := tuple(islice(neighbours, most)):
            yield taken[0] if len(taken) == 1 else Batch(leg=taken[0].leg, items=cast(BatchItems, taken))


def _kind(command: Command) -> type[Command]:
    """An order that takes is urgent: a venue may hold it back a while, and resting ones must not wait with it."""
    takes = isinstance(command, SubmitOrder) and command.order.request.time_in_force is not TimeInForce.GTC
    return Command if takes else type(command)
