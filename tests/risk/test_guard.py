"""No order leaves that could carry a bot past a limit, whatever else rests or is unresolved."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.order import ApprovedOrder, OrderRequest, Side
from engine.risk.guard import Denied, Exposure, Guard, Room
from tests.trading.desk_bench import LEG, PERP, bot_spec

CALM: dict[str, Any] = {
    "long_most_lots": 0,
    "short_most_lots": 0,
    "venue_position_lots": 0,
    "open_buy_lots": 0,
    "open_sell_lots": 0,
    "open_notional": Decimal(0),
    "orders_last_minute": 0,
    "twice_mid_ticks": 20_000,
    "mark": None,
    "adding_blocked": "",
}


def review(request: dict[str, Any], exposure: dict[str, Any], **limits: Any) -> str:
    order: dict[str, Any] = {"side": Side.BUY, "ticks": 10_000, "lots": 100} | request
    guard = Guard(bot_spec(**limits).risk, PERP)
    verdict = guard.review(OrderRequest(leg=LEG, client_id=1, slot="s", **order), Exposure(**(CALM | exposure)))
    return verdict.reason if isinstance(verdict, Denied) else ""


@pytest.mark.parametrize(
    ("request_", "exposure", "limits", "reason"),
    [
        ({}, {}, {}, ""),
        ({"lots": 0}, {}, {}, "below the venue's minimum size"),
        ({"ticks": 0}, {}, {}, "below the venue's minimum size"),
        ({"lots": 501}, {}, {}, "max_position"),
        ({"lots": 101}, {"open_buy_lots": 400}, {}, "max_position"),
        ({"lots": 101}, {"long_most_lots": 400}, {}, "max_position"),
        ({"side": Side.SELL, "lots": 900}, {"long_most_lots": 400, "short_most_lots": 400}, {}, ""),
        ({"side": Side.SELL, "lots": 901}, {"long_most_lots": 400, "short_most_lots": 400}, {}, "max_position"),
        ({"ticks": 10_501}, {}, {}, "price_band_bps"),
        ({}, {"mark": Decimal(90)}, {}, "price_band_bps"),
        ({}, {"twice_mid_ticks": None}, {}, "no price to compare with"),
        ({}, {"orders_last_minute": 600}, {}, "max_orders_per_minute"),
        ({}, {}, {"max_order_notional_usd": Decimal(99)}, "max_order_notional_usd"),
        (
            {},
            {"open_notional": Decimal(1)},
            {"max_open_notional_usd": Decimal(100)},
            "max_open_notional_usd",
        ),
        ({}, {"adding_blocked": "unknown position"}, {}, "unknown position"),
        (
            {"side": Side.SELL, "lots": 50},
            {"adding_blocked": "x", "long_most_lots": 50, "short_most_lots": 50},
            {},
            "",
        ),
        ({"reduce_only": True}, {}, {}, "more than there is to reduce"),
        ({"reduce_only": True}, {"venue_position_lots": None}, {}, "the venue's position is unknown"),
        ({"reduce_only": True, "side": Side.SELL}, {"venue_position_lots": 100}, {}, ""),
        (
            {"reduce_only": True, "side": Side.SELL},
            {"venue_position_lots": 100, "open_sell_lots": 1},
            {},
            "more than there is to reduce",
        ),
    ],
)
def test_each_limit_names_itself(
    request_: dict[str, Any], exposure: dict[str, Any], limits: dict[str, Any], reason: str
) -> None:
    assert review(request_, exposure, **limits) == reason


LONG = {"long_most_lots": 300, "short_most_lots": 300}
NET, GROSS = "max_net_exposure_usd of the fleet", "max_gross_exposure_usd of the fleet"


@pytest.mark.parametrize(
    ("request_", "exposure", "room", "reason"),
    [
        ({}, {}, {"long_usd": Decimal(100)}, ""),
        ({}, {}, {"long_usd": Decimal(99)}, NET),
        ({}, {}, {"short_usd": Decimal(0)}, ""),
        ({"side": Side.SELL}, {}, {"short_usd": Decimal(99)}, NET),
        ({}, {}, {"gross_usd": Decimal(100)}, ""),
        ({}, {}, {"gross_usd": Decimal(99)}, GROSS),
        ({}, {"open_sell_lots": 100}, {"gross_usd": Decimal(0)}, ""),
        ({}, {"open_sell_lots": 60}, {"gross_usd": Decimal(40)}, ""),
        ({}, {"open_sell_lots": 60}, {"gross_usd": Decimal(39)}, GROSS),
        ({"side": Side.SELL}, LONG, {"short_usd": Decimal(-5), "gross_usd": Decimal(-5)}, ""),
        ({"side": Side.SELL, "lots": 301}, LONG, {"short_usd": Decimal(-5)}, NET),
        ({}, {}, {"why_not": "what is left is unknown"}, "what is left is unknown"),
        ({"side": Side.SELL}, LONG, {"why_not": "what is left is unknown"}, ""),
    ],
)
def test_no_order_needs_more_of_a_shared_budget_than_is_left_of_it(
    request_: dict[str, Any], exposure: dict[str, Any], room: dict[str, Any], reason: str
) -> None:
    assert review(request_, {**exposure, "rooms": (Room(budget="fleet", **room),)}) == reason


@given(
    st.sampled_from(Side),
    st.integers(1, 1_000),
    st.integers(-700, 700),
    st.integers(-700, 700),
    st.integers(0, 700),
    st.integers(0, 700),
)
def test_if_everything_open_fills_an_approved_order_keeps_the_worse_position_inside_the_limit(
    side: Side, lots: int, own: int, venue: int, open_buy: int, open_sell: int
) -> None:
    exposure = CALM | {
        "long_most_lots": max(own, venue),
        "short_most_lots": min(own, venue),
        "venue_position_lots": venue,
        "open_buy_lots": open_buy,
        "open_sell_lots": open_sell,
    }
    guard = Guard(bot_spec(max_position=Decimal(5)).risk, PERP)
    request = OrderRequest(leg=LEG, client_id=1, slot="s", side=side, ticks=10_000, lots=lots)
    if isinstance(guard.review(request, Exposure(**exposure)), ApprovedOrder):
        if side is Side.BUY:
            assert max(own, venue) + open_buy + lots <= 500
        else:
            assert min(own, venue) - open_sell - lots >= -500
