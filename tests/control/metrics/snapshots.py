"""Two bots as `status` and `stats` tell them: one that trades, one that nobody hears."""

from __future__ import annotations

from typing import Any

from engine.control.metrics.snapshot import Snapshot
from engine.control.statistics import BotStatistics
from engine.control.status import BotStatus
from engine.model.account import BudgetUse
from engine.plan.observed import Hedge, Leg, Risk
from engine.runtime.strain import Usage

USE = BudgetUse(used_per_minute=30, limit_per_minute=2_000, pace=0.5)
LEG = Leg(
    venue="backpack",
    account="alpha",
    market="SOL_USDC",
    ready=True,
    orders=4,
    unresolved=1,
    fills=7,
    position="-1.5",
    bid="180.45",
    ask=None,
    budget={"requests": USE},
)
RISK = Risk(
    net_pnl="-2.5",
    drawdown_pct="12.5",
    rejects_in_a_row=3,
    budgets={"fleet": {"net": "10", "max_net_exposure_usd": None}},
)
HEDGE = Hedge(residual="0.3", open_since_ns=1, alarm="below the minimum", time_to_hedge={"count": 0})
TOTAL: dict[str, Any] = {
    "fills": 7,
    "bought": "3",
    "sold": "4.5",
    "volume": {"maker": {"buy": "540", "sell": "812"}, "taker": {"buy": "0", "sell": "0"}},
    "fees": {"USDC": "-0.2"},
    "funding": "0",
    "realised_pnl": "1.25",
    "net_pnl": None,
    "peak_drawdown": "0.5",
    "orders": {"placed": 9, "rejected": 1, "canceled": 2, "expired": 0, "filled": 3, "amended": 0},
    "touch": {"watched_s": 60.0, "bid_s": 30.5, "ask_s": 0.0},
    "latency": {
        "order_to_ack": {"count": 6, "buckets": {"0.8": 1, "2.5": 2, "3.2": 2, "inf": 1}},
        "time_to_hedge": {"count": 0, "buckets": {}},
    },
}


def snapshot(**changes: Any) -> Snapshot:
    told = {
        "fleet_id": "demo",
        "generation": 3,
        "supervisor_answers": True,
        "companions": {"sentinel": True},
        "statuses": (
            _status("maker", "running", legs={"main": LEG}, risk=RISK, hedge=HEDGE),
            _status("mute", "unknown"),
        ),
        "statistics": (_statistics("maker"),),
        "usage": {"maker": Usage(pid=7, memory_mb=2.0, cpu_s=1.5, at_s=0.0)},
    }
    return Snapshot(**{**told, **changes})


def calm() -> Snapshot:
    """Nobody is needed."""
    return snapshot(statuses=(_status("maker", "running", legs={"main": LEG}),))


def _status(name: str, state: str, **more: Any) -> BotStatus:
    known: dict[str, Any] = {"legs": {}, **more}
    return BotStatus(
        name=name,
        state=state,
        why="does not answer" if state == "unknown" else "",
        venue=LEG.venue,
        account=LEG.account,
        market=LEG.market,
        strategy="market_maker",
        fingerprint=None,
        orders=None,
        fills=None,
        pid=None,
        generation=None,
        **known,
    )


def _statistics(name: str) -> BotStatistics:
    leg = {"venue": LEG.venue, "market": LEG.market, "total": TOTAL}
    return BotStatistics(name=name, strategy="market_maker", source="engine", legs={"main": leg})
