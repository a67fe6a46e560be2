"""A small fleet as values, and its generation on disk: what tests of several rooms need to start from."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from engine.host.files import write_atomic
from engine.host.generation import GenerationMeta
from engine.host.workspace import Workspace
from engine.spec.fingerprint import fingerprint
from engine.spec.types import (
    AccountSpec,
    BotSpec,
    Environment,
    FleetSpec,
    LegSpec,
    ProcessSpec,
    RiskSpec,
    SimSpec,
    StopPolicy,
    StrategySpec,
)

ACCOUNT = AccountSpec(
    name="main",
    venue="backpack",
    environment=Environment.SIM,
    rest_url=None,
    ws_url=None,
    credentials={},
    balances={"USDC": Decimal(100_000), "SOL": Decimal(1_000)},
)
RISK = RiskSpec(
    max_position=Decimal(50),
    max_open_notional_usd=None,
    max_order_notional_usd=None,
    max_orders_per_minute=6000,
    price_band_bps=Decimal(500),
    max_data_age_s=Decimal(10),
)
PROCESS = ProcessSpec(stop_policy=StopPolicy.KEEP, stop_timeout_s=Decimal(10), duration_s=None, log_level="info")
STRATEGY: dict[str, Any] = {
    "spread_bps": 8,
    "order_size": "0.4",
    "layers": 3,
    "layer_step": {"bps": 4},
    "size_profile": "equal",
    "requote_threshold_ticks": 1,
    "post_only": True,
    "refill_below": 0.5,
    "capital": {"base": "20", "quote": "3000"},
    "base_target_pct": 50,
    "rebalance_threshold_pct": None,
    "rebalance_slippage_bps": 20,
}


def fleet_spec() -> FleetSpec:
    sim = SimSpec(
        venue="backpack",
        seed=1,
        speed=Decimal(3),
        latency_ms=0,
        taker_delay_ms=0,
        recording=None,
        accounts={"main": ACCOUNT.balances},
    )
    return FleetSpec(id="test", live_allowed=False, accounts={"main": ACCOUNT}, sims={"backpack": sim})


def bot_spec(name: str = "maker", *, market: str = "SOL_USDC", **strategy: Any) -> BotSpec:
    """A spot market maker on the simulated account; keywords change its strategy's parameters."""
    parameters = {**STRATEGY, **strategy}
    return BotSpec(
        name=name,
        labels={},
        enabled=True,
        legs={"main": LegSpec(venue="backpack", account="main", market=market)},
        accounts={"main": ACCOUNT},
        strategy=StrategySpec(kind="market_maker", parameters=parameters),
        risk=RISK,
        process=PROCESS,
    )


def write_generation(
    workspace: Workspace, bots: dict[str, BotSpec], *, number: int = 1, fleet: FleetSpec | None = None
) -> None:
    """Apply these bots, as far as engines can tell."""
    place = workspace.generations / str(number)
    meta = GenerationMeta(
        number=number,
        created_at="2026-11-22T14:00:00.000Z",
        who="test",
        version="0",
        fingerprints={name: fingerprint(spec) for name, spec in bots.items()},
    )
    write_atomic(place / "meta.json", msgspec.json.encode(meta))
    write_atomic(place / "fleet.json", msgspec.json.encode(fleet or fleet_spec()))
    for name, spec in bots.items():
        write_atomic(place / "bots" / f"{name}.json", msgspec.json.encode(spec))
    workspace.current.unlink(missing_ok=True)
    workspace.current.symlink_to(place)
