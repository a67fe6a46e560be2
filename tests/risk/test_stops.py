"""Every case of tests/cases/risk/stops.yaml: what a bot earns and loses, and whether it must stop."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from engine.clock import NS_PER_S
from engine.risk.stops import (
    DAY_NS,
    RESUMED,
    Stops,
    drawdown_pct,
    follow,
    latched,
    trip_of_money,
    trip_of_rejects,
)
from tests.trading.desk_bench import bot_spec

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "risk" / "stops.yaml").read_text())
NOON_NS = 20_000 * DAY_NS + DAY_NS // 2


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
@pytest.mark.parametrize("forgetful", [False, True], ids=["one life", "a restart after every figure"])
def test_a_bot_trips_where_its_case_says(case: dict[str, Any], forgetful: bool) -> None:
    risk = bot_spec(**{name: Decimal(str(limit)) for name, limit in case["risk"].items()}).risk
    stops: Stops | None = None
    resume_s = case.get("resume")
    for second, net in case["net"]:
        if resume_s is not None and resume_s <= second:
            stops, resume_s = RESUMED, None
        if net != "?" and not (stops and stops.trip):
            net_usd = Decimal(str(net))
            stops = follow(stops, net_usd, NOON_NS + second * NS_PER_S)
            if words := trip_of_money(stops, net_usd, risk):
                stops = latched(stops, words)
        if forgetful and stops is not None:
            stops = msgspec.json.decode(msgspec.json.encode(stops), type=Stops)
    assert (stops.trip if stops else "") == case.get("trip", "")


def test_a_drawdown_is_told_in_percent_of_capital_and_peak_profit() -> None:
    stops = Stops(base_usd=Decimal(50), peak_usd=Decimal(250))
    assert drawdown_pct(stops, Decimal(190), Decimal(1000)) == Decimal(5)


@pytest.mark.parametrize(("in_a_row", "limit", "trips"), [(2, 3, False), (3, 3, True), (99, None, False)])
def test_refusals_in_a_row_trip_at_their_limit(in_a_row: int, limit: int | None, trips: bool) -> None:
    words = trip_of_rejects(in_a_row, bot_spec(max_rejects_in_a_row=limit).risk)
    assert bool(words) is trips
    assert not trips or words.startswith("max_rejects_in_a_row: the venue refused 3 orders")
