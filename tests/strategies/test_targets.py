"""Every strategy case file: parameters and a view in, the target out, twice the same."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.spec.types import StrategySpec
from engine.strategies.interface import LegView, View
from engine.strategies.registry import build_strategy
from tests.strategies.grids import GRID_PARAMETERS, PERP_GRID_PARAMETERS
from tests.trading.desk_bench import LEG, PERP, PERP_PARAMETERS, SPOT, SPOT_PARAMETERS

CASES = Path(__file__).parents[1] / "cases" / "strategies"
MARKETS = {
    "grid": (SPOT, GRID_PARAMETERS),
    "market_maker": (SPOT, SPOT_PARAMETERS),
    "perp_grid": (PERP, PERP_GRID_PARAMETERS),
    "perp_market_maker": (PERP, PERP_PARAMETERS),
}


def load_cases() -> list[Any]:
    return [
        pytest.param(path.stem, case, id=f"{path.stem}: {case['name']}")
        for path in sorted(CASES.glob("*.yaml"))
        for case in yaml.safe_load(path.read_text())
    ]


def as_text(value: Any) -> Any:
    """Numbers as an effective document carries them."""
    if isinstance(value, dict):
        return {key: as_text(inner) for key, inner in value.items()}
    return str(value) if isinstance(value, float) else value


def mids_of(seen: dict[str, Any]) -> tuple[int, ...]:
    """A mid that goes to and fro between the ticks a case names, for as many seconds, and stood or stands still."""
    if "to_and_fro" not in seen:
        return ()
    ticks = seen["to_and_fro"]
    moving = tuple(2 * ticks[n % len(ticks)] for n in range(seen.get("seconds", 60) + 1))
    before, after = seen.get("still_before", 0), seen.get("still_after", 0)
    return moving[:1] * before + moving + moving[-1:] * after


def view_of(kind: str, seen: dict[str, Any]) -> View:
    leg = LegView(
        instrument=MARKETS[kind][0],
        bids=((seen["bid"], 500),) if "bid" in seen else (),
        asks=((seen["ask"], 500),) if "ask" in seen else (),
        mark=None,
        position_lots=seen.get("position", 0),
        max_position_lots=seen.get("max_position"),
        base_change=Decimal(str(seen.get("base_change", 0))),
        quote_change=Decimal(str(seen.get("quote_change", 0))),
        executed_lots=seen.get("executed", {}),
        memo=seen.get("memo", ""),
        recent_mids=mids_of(seen),
        funding_rate=Decimal(str(seen["funding_rate"])) if "funding_rate" in seen else None,
    )
    return View(now_ns=0, legs={LEG: leg})


def reducing(case: dict[str, Any]) -> set[str]:
    """The slots whose orders may only reduce: those a case names, or all, or none."""
    named = case.get("reduce_only", False)
    if isinstance(named, list):
        return set(named)
    return set(case["quotes"]) if named else set()


@pytest.mark.parametrize(("kind", "case"), load_cases())
def test_a_strategy_wants_what_its_case_says(kind: str, case: dict[str, Any]) -> None:
    parameters = {**MARKETS[kind][1], **as_text(case["parameters"])}
    strategy = build_strategy(StrategySpec(kind=kind, parameters=parameters))
    view = view_of(kind, case["view"])
    target = strategy.target(view)[LEG]
    assert {quote.slot: [quote.ticks, quote.lots] for quote in target.quotes} == case["quotes"]
    assert (target.inventory.lots if target.inventory else None) == case.get("inventory")
    assert {quote.slot for quote in target.quotes if quote.reduce_only} == reducing(case)
    assert target.memo == case.get("memo")
    assert strategy.target(view)[LEG] == target
