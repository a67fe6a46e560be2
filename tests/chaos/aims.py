"""Stories with an aim: all that goes wrong on the wire hits one kind of message, and hits it hard.

In an ordinary story troubles are spread over everything, so that an answer to one rare question, or one amend, is
seldom lost at the moment that matters. Here it is lost again and again while the rest works.
"""

from __future__ import annotations

from random import Random

from engine.sim.trouble import Kind, Trouble
from tests.chaos.story import PAIRS, SLOW, TROUBLED_MS, Mishap, Story, mishap

HEDGES_EVERY = 4
"""One story in so many is of a bot that hedges."""
TROUBLES = (3, 8)
MISHAPS_MOST = 2

CHANGES = {
    "backpack": ("POST /api/v1/order", "DELETE /api/v1/order"),
    "aster": ("PUT /fapi/v3/order", "PUT /fapi/v3/order", "POST /fapi/v3/", "DELETE /fapi/v3/"),
    "paradex": ("POST /v1/orders", "DELETE /v1/orders"),
}
"""Beginnings of requests that change orders, by venue; for one order and for many. Amends know most ways to end."""
QUESTIONS = {
    "backpack": (
        "GET /api/v1/order",
        "GET /wapi/v1/history/orders",
        "GET /wapi/v1/history/fills",
        "GET /wapi/v1/history/funding",
        "GET /api/v1/position",
    ),
    "aster": (
        "GET /fapi/v3/openOrders",
        "GET /fapi/v3/allOrders",
        "GET /fapi/v3/userTrades",
        "GET /fapi/v3/income",
        "GET /fapi/v3/positionRisk",
    ),
    "paradex": ("GET /v1/orders", "GET /v1/fills", "GET /v1/funding", "GET /v1/positions", "POST /v1/auth"),
}
"""Those are seldom asked: what hits them lasts long."""
FRAMES = {
    "backpack": ("account.orderUpdate", "account.positionUpdate", "depth.", "markPrice."),
    "aster": ("ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "depthUpdate", "markPriceUpdate"),
    "paradex": ("orders.", "fills.", "positions", "order_book.", "funding_payments."),
}
"""Parts of frames that only one kind of them has."""
_TO_FRAMES = (Kind.LOST_FRAME, Kind.TWICE_FRAME, Kind.LATE_FRAME)
_TO_REQUESTS = (
    Kind.LOST_REQUEST,
    Kind.LOST_REQUEST,
    Kind.LOST_REPLY,
    Kind.BUSY,
    Kind.LIMITED,
    Kind.SLOW_REQUEST,
    Kind.SLOW_REPLY,
)
_VENUES = {pair: tuple(venue for venue in CHANGES if venue in pair) or ("backpack",) for pair in PAIRS}


def aimed(seed: int) -> Story:
    """The story of a seed of this family."""
    random = Random(f"aimed/{seed}")
    pair = PAIRS[seed // HEDGES_EVERY % len(PAIRS)] if seed % HEDGES_EVERY == 0 else ""
    venue = "backpack" if pair else random.choice(("backpack", "aster", "aster"))
    bots = ("hedge",) if pair else ("perp",) if venue == "aster" else ("spot", "perp")
    where = random.choice(_VENUES[pair]) if pair else venue
    aim = random.choice(random.choice((CHANGES, CHANGES, QUESTIONS, FRAMES))[where])
    troubles: list[Trouble | Mishap] = [_hit(random, aim) for _ in range(random.randint(*TROUBLES))]
    troubles += [mishap(random, random.choice(bots)) for _ in range(random.randint(0, MISHAPS_MOST))]
    return Story(
        seed=seed,
        venue=venue,
        bots=bots,
        pace=random.choice((3.0, 5.0)),
        flatten=random.random() < 0.25,
        latency_ms=random.choice((5, 40, 200)),
        taker_delay_ms=random.choice((0, 100)),
        cancels_later=random.random() < 0.25,
        lag_ms=random.choice((0, 0, 50, 400)),
        expires_crossing=random.random() < 0.5,
        troubles=tuple(sorted(troubles, key=lambda each: each.at_ms)),
        pair=pair,
        aim=aim,
    )


def _hit(random: Random, aim: str) -> Trouble:
    kind = random.choice(_TO_REQUESTS if " " in aim else _TO_FRAMES)
    at_ms = random.randrange(TROUBLED_MS)
    most_ms = TROUBLED_MS if aim.startswith("GET") else 6_000
    return Trouble(
        kind=kind,
        at_ms=at_ms,
        for_ms=min(random.choice((2_000, most_ms)), TROUBLED_MS - at_ms),
        share_pct=random.choice((30, 100, 100)),
        delay_ms=random.choice((400, 6_000)) if kind in SLOW else 0,
        only=aim,
    )
