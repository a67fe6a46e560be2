"""Builds desired and observed fleets for tests out of few words: everything not said is as in `spec`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from engine.model.account import Stake
from engine.plan.desired import Desired, DesiredBot, DesiredSimulator
from engine.plan.observed import (
    Applied,
    Engine,
    Held,
    Leg,
    Observed,
    Process,
    ProcessState,
    Simulator,
    Unknown,
)
from engine.spec.fingerprint import fingerprint, simulator_fingerprint
from engine.spec.schema import fill_defaults
from engine.spec.types import (
    AccountSpec,
    BotSpec,
    Environment,
    FleetSpec,
    LegSpec,
    ProcessSpec,
    RiskSpec,
    Role,
    RolloutSpec,
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
    balances={"USDC": Decimal(10_000)},
)
SIM = SimSpec(
    venue="backpack",
    seed=1,
    speed=Decimal(1),
    latency_ms=0,
    taker_delay_ms=0,
    recording=None,
    accounts={"main": {"USDC": Decimal(10_000)}},
)


def spec(name: str, **changes: Any) -> BotSpec:
    """A quoting bot; `changes` by short name: spread_bps, market, account, enabled, labels, stop_policy …"""
    return BotSpec(
        name=name,
        labels=changes.get("labels", {}),
        enabled=changes.get("enabled", True),
        legs={"main": LegSpec(venue="backpack", account="main", market=changes.get("market", "SOL_USDC_PERP"))},
        accounts={"main": msgspec.structs.replace(ACCOUNT, leverage=_leverage(changes))},
        strategy=StrategySpec(
            kind="perp_market_maker", parameters={"spread_bps": changes.get("spread_bps", "10"), "layers": 2}
        ),
        risk=RiskSpec(
            max_position=Decimal(str(changes.get("max_position", 5))),
            max_open_notional_usd=Decimal(changes["open_usd"]) if "open_usd" in changes else None,
            max_order_notional_usd=None,
            max_orders_per_minute=60,
            price_band_bps=Decimal(200),
            max_data_age_s=Decimal(5),
        ),
        process=ProcessSpec(
            stop_policy=StopPolicy(changes.get("stop_policy", "keep")),
            stop_timeout_s=Decimal(str(changes.get("stop_timeout_s", 30))),
            duration_s=changes.get("duration_s"),
            log_level="info",
        ),
        protected=changes.get("protected", False),
        role=Role(changes["role"]) if "role" in changes else None,
        depends_on=tuple(changes.get("depends_on", ())),
        renamed_from=changes.get("renamed_from"),
    )


def _leverage(changes: dict[str, Any]) -> Decimal | None:
    return Decimal(changes["leverage"]) if "leverage" in changes else None


def rollout(**changes: Any) -> RolloutSpec:
    """How a fleet is rolled out; what is not said has no bound, as a `rollout: {}` in fleet.yaml has it."""
    written = fill_defaults({"id": "lab", "accounts": {}, "rollout": changes}, "fleet")["rollout"]
    return msgspec.convert(written, RolloutSpec)


def fleet(*, sim_seed: int | None = None, policy: RolloutSpec | None = None) -> FleetSpec:
    sims = {} if sim_seed is None else {"backpack": msgspec.structs.replace(SIM, seed=sim_seed)}
    return FleetSpec(id="lab", live_allowed=False, accounts={"main": ACCOUNT}, sims=sims, rollout=policy)


def desired(*specs: BotSpec, sim_seed: int | None = None, policy: RolloutSpec | None = None) -> Desired:
    whole = fleet(sim_seed=sim_seed, policy=policy)
    return Desired(
        fleet=whole,
        bots={one.name: desired_bot(one) for one in specs},
        simulators={
            venue: DesiredSimulator(fingerprint=simulator_fingerprint(whole, venue)) for venue in whole.sims
        },
    )


def desired_bot(one: BotSpec) -> DesiredBot:
    file = f"bots/{one.name}.yaml"
    places = {"strategy.spread_bps": f"{file}:12", "exchange.market": f"{file}:7", "enabled": f"{file}:3"}
    return DesiredBot(spec=one, fingerprint=fingerprint(one), file=file, places=places)


def applied(*specs: BotSpec, generation: int = 3, sim_seed: int | None = None) -> Applied:
    whole = fleet(sim_seed=sim_seed)
    return Applied(
        generation=generation,
        fleet=whole,
        bots={one.name: one for one in specs},
        fingerprints={one.name: fingerprint(one) for one in specs},
        simulators={venue: simulator_fingerprint(whole, venue) for venue in whole.sims},
    )


def engine(one: BotSpec, **facts: Any) -> Engine:
    """An engine that runs `one` and knows its orders."""
    legs = {
        name: Leg(
            venue=leg.venue,
            account=leg.account,
            market=leg.market,
            ready=facts.get("ready", True),
            orders=facts.get("orders", 4),
            unresolved=0,
            fills=facts.get("fills", 2),
            position=facts.get("position", "-1.5"),
            unexplained=facts.get("unexplained", "0"),
            adoption_price=facts.get("adoption_price"),
            why_not=facts.get("why_not", ""),
        )
        for name, leg in one.legs.items()
    }
    return Engine(
        stakes={name: stake(leg.position) for name, leg in legs.items() if facts.get("priced", True)},
        pid=facts.get("pid", 4242),
        state=facts.get("state", "running"),
        fingerprint=fingerprint(one),
        generation=facts.get("generation", 3),
        legs=legs,
        spec=one,
    )


def stake(position: str) -> Stake:
    """What an engine says of a position at a mid of 140, with a book 0.4 s old."""
    notional = Decimal(position) * 140
    return Stake(
        price=Decimal(140),
        notional=notional,
        worst=abs(notional) + 280,
        spread=abs(notional) / 2000,
        slippage=abs(notional) / 10_000,
        fee=abs(notional) / 2500,
        book_age_s=Decimal("0.4"),
    )


def process(state: str = "running", **facts: Any) -> Process:
    return Process(
        state=ProcessState(state),
        pid=facts.get("pid", 4242),
        exit_code=facts.get("exit_code"),
        why=facts.get("why", ""),
    )


def held(kind: str = "stop") -> Held:
    return Held(kind=kind, who="ann", since="2026-11-22T09:00:00.000Z", why="maintenance")


def running(*specs: BotSpec, sim_seed: int | None = None, **facts: Any) -> Observed:
    """The quiet state after an apply: everything applied runs."""
    whole = applied(*specs, sim_seed=sim_seed)
    up = [one for one in specs if one.enabled]
    return Observed(
        applied=whole,
        processes={one.name: process() for one in up},
        engines={one.name: engine(one, **facts) for one in up},
        simulators={
            venue: Simulator(process=process(), fingerprint=print_) for venue, print_ in whole.simulators.items()
        },
    )


__all__ = ["Observed", "Unknown", "applied", "desired", "engine", "fleet", "held", "process", "running", "spec"]
