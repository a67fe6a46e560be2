"""Stories on Lighter, where requests are numbered: every transaction of a key carries the next number, and must
arrive in that order within its lifetime.

What breaks such a sequence is an answer that does not come, and a bot that dies with a number in its hand: so most
troubles here hit the way of transactions, or a process.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from msgspec.structs import replace

from engine.exchanges.lighter.options import OrderEntry, Tier
from engine.sim.trouble import Kind, Trouble
from tests.chaos.story import (
    LIGHTER,
    ORDINARY,
    TO_SOCKETS,
    LighterHabits,
    Mishap,
    Story,
    mishap,
    on_the_wire,
)

HEDGES_EVERY = 4
"""One story in so many is of a bot that quotes on Backpack and hedges here."""
PAIR = "backpack and lighter"
TROUBLES = (2, 9)
TO_SENDS = {
    OrderEntry.REST: (
        Kind.LOST_REQUEST,
        Kind.LOST_REPLY,
        Kind.SLOW_REQUEST,
        Kind.SLOW_REPLY,
        Kind.BUSY,
        Kind.LIMITED,
    ),
    OrderEntry.WEBSOCKET: (*TO_SOCKETS, *TO_SOCKETS, Kind.LOST_FRAME, Kind.TWICE_FRAME, Kind.LATE_FRAME),
}
SENDS = {OrderEntry.REST: "POST /api/v1/sendTx", OrderEntry.WEBSOCKET: "jsonapi/sendtx"}
"""Transactions on their way, and their answers: beginnings of requests, and parts of frames."""
TO_QUESTIONS = (Kind.LOST_REQUEST, Kind.LOST_REPLY, Kind.SLOW_REPLY, Kind.LIMITED)
QUESTIONS = (
    "GET /api/v1/nextNonce",
    "GET /api/v1/nextNonce",
    "GET /api/v1/accountInactiveOrders",
    "GET /api/v1/trades",
)
TO_NEWS = (Kind.LOST_FRAME, Kind.TWICE_FRAME, Kind.LATE_FRAME)
NEWS = ("account_tx:", "account_all_orders:", "account_all_trades:", "order_book:")
LIFETIMES_S = (10, 10, 30)
SLOWEST_MS = 14_000
"""Longer than a transaction of ten seconds lives."""


def numbered(seed: int) -> Story:
    """The story of a seed of this family."""
    random = Random(f"{LIGHTER}/{seed}")
    hedges = seed % HEDGES_EVERY == HEDGES_EVERY - 1
    bots = ("hedge",) if hedges else random.choice((("perp",), ("perp", "neighbour")))
    habits = LighterHabits(
        tier=Tier.PREMIUM if hedges else random.choice((Tier.PREMIUM, Tier.PREMIUM, Tier.STANDARD)),
        order_entry=random.choice((OrderEntry.WEBSOCKET, OrderEntry.WEBSOCKET, OrderEntry.REST)),
        tx_lifetime_s=random.choice(LIFETIMES_S),
        says_which=random.random() < 0.5,
        transactions_come_first=seed % 2 == 1,
    )
    troubles = [_trouble(random, bots, habits.order_entry) for _ in range(random.randint(*TROUBLES))]
    return Story(
        seed=seed,
        venue=LIGHTER,
        bots=bots,
        pace=random.choice((3.0, 5.0, 8.0)),
        flatten=random.random() < 0.25,
        latency_ms=random.choice((5, 40, 200)),
        taker_delay_ms=0,
        cancels_later=False,
        lag_ms=0,
        expires_crossing=False,
        troubles=tuple(sorted(troubles, key=lambda each: each.at_ms)),
        pair=PAIR if hedges else "",
        lighter=habits,
    )


def _trouble(random: Random, bots: tuple[str, ...], entry: OrderEntry) -> Trouble | Mishap:
    chance = random.random()
    if chance < 0.35:
        return mishap(random, random.choice(bots))
    if chance < 0.5:
        return on_the_wire(random, (*ORDINARY, *TO_SOCKETS))
    if chance < 0.8:
        return _aimed(random, TO_SENDS[entry], SENDS[entry])
    if chance < 0.9:
        return _aimed(random, TO_QUESTIONS, random.choice(QUESTIONS))
    return _aimed(random, TO_NEWS, random.choice(NEWS))


def _aimed(random: Random, kinds: Sequence[Kind], aim: str) -> Trouble:
    hit = on_the_wire(random, kinds)
    delay_ms = hit.delay_ms and random.choice((hit.delay_ms, SLOWEST_MS))
    return replace(hit, only=aim, delay_ms=delay_ms)
