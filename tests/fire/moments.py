"""When to strike: while an order of the victim is in a given state, seen in its journal.

A state that a healthy venue ends within milliseconds is made to last by the weather before the venue.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum

from engine.trading.records import OrderRecord, OrderState
from tests.fire.memory import BotMemory

PATIENCE_S = 25.0
"""For a moment that may never come: nobody can order a fill."""
LOOK_S = 0.005

Weather = Mapping[str, float]


class Moment(StrEnum):
    """A state of an order that may live, or of the bot while it looks for its orders."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially filled"
    CANCEL_PENDING = "cancel pending"
    UNRESOLVED = "unresolved"
    CLOSING = "closing"
    STARTING = "starting"


WEATHER: dict[Moment, tuple[Weather, ...]] = {
    Moment.SUBMITTED: ({"latency_ms": 400}, {"latency_ms": 1500}),
    Moment.ACCEPTED: ({}, {"drop": 0.05, "duplicate": 0.2, "reorder": 0.2}),
    Moment.PARTIALLY_FILLED: ({}, {"latency_ms": 300}),
    Moment.CANCEL_PENDING: ({"latency_ms": 400}, {"latency_ms": 1500}),
    Moment.UNRESOLVED: (
        {"server_error": 1, "disconnect": 1},
        {"slow": 1, "slow_ms": 7000, "zombie": 1},
        {"latency_ms": 7000},
    ),
    Moment.CLOSING: ({"disconnect": 0.1, "latency_ms": 700}, {"disconnect": 0.05, "latency_ms": 1500}),
    Moment.STARTING: ({}, {"latency_ms": 800}, {"rate_limited": 0.5}),
}


def await_moment(memory: BotMemory, moment: Moment) -> OrderRecord | None:
    """An order that is in the state now; None when none came to be in time."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with suppress(sqlite3.OperationalError):  # Locked, while a new life of the bot recovers the file.
            for record in memory.live_orders():
                if _is_in(record, moment):
                    return record
        time.sleep(LOOK_S)
    return None


def _is_in(record: OrderRecord, moment: Moment) -> bool:
    if moment is Moment.PARTIALLY_FILLED:
        return record.state is OrderState.ACCEPTED and 0 < record.filled_lots < record.request.lots
    return record.state.value == moment.value
