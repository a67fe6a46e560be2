"""A bot's state as the control socket tells it: plain JSON, money as text."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from engine.clock import iso_utc
from engine.host.generation import AppliedBot
from engine.model.account import BudgetUse, Stake
from engine.model.instrument import plain
from engine.trading.budgets import BudgetStatus
from engine.trading.hedging import HedgeStatus
from engine.trading.statistics import MachineStatistics
from engine.trading.status import LegStatus, MachineStatus


def legs_report(
    applied: AppliedBot, status: MachineStatus, budgets: Mapping[str, Mapping[str, BudgetUse]]
) -> dict[str, Any]:
    """Every leg's figures, with the account it trades on and how what the venue counts of it stands."""
    return {
        name: {
            "account": applied.spec.legs[name].account,
            "budget": {count: msgspec.structs.asdict(use) for count, use in budgets.get(name, {}).items()},
            **_figures(leg),
        }
        for name, leg in status.legs.items()
    }


def stakes_report(stakes: Mapping[str, Stake]) -> dict[str, Any]:
    """What each leg has at stake, for plans."""
    return {name: _plain(msgspec.structs.asdict(stake)) for name, stake in stakes.items()}


def hedge_report(hedge: HedgeStatus | None) -> dict[str, Any] | None:
    """What is not hedged, and how long hedging takes; None for a bot that hedges nothing."""
    if hedge is None:
        return None
    return {
        **msgspec.structs.asdict(hedge),
        "residual": plain(hedge.residual),
        "time_to_hedge": msgspec.structs.asdict(hedge.time_to_hedge),
    }


def risk_report(status: MachineStatus) -> dict[str, Any]:
    """How the whole bot stands against its stops."""
    budgets = {name: _of_budget(budget) for name, budget in status.budgets.items()}
    return {**_plain(msgspec.structs.asdict(status.money)), "budgets": budgets}


def statistics_report(statistics: MachineStatistics) -> dict[str, Any]:
    """The reply to `stats`: every figure by its name, money and ratios as text, instants in ISO 8601."""
    report = _texts(msgspec.to_builtins(statistics, builtin_types=(Decimal,)))
    assert isinstance(report, dict)
    for leg in report["legs"].values():
        for span in (leg["total"], leg["run"]):
            span["since"] = None if (since_ns := span.pop("since_ns")) is None else iso_utc(since_ns)
            span["equity"] = [[iso_utc(at_ns), profit] for at_ns, profit in span["equity"]]
    return report


def _texts(node: Any) -> Any:
    """Every decimal as text, however deep it lies."""
    if isinstance(node, dict):
        return {name: _texts(each) for name, each in node.items()}
    if isinstance(node, list | tuple):
        return [_texts(each) for each in node]
    return plain(node) if isinstance(node, Decimal) else node


def _of_budget(budget: BudgetStatus) -> dict[str, Any]:
    figures = {"net": budget.net, "gross": budget.gross, "day_pnl": budget.day_pnl}
    return _plain({**figures, **msgspec.structs.asdict(budget.limits)})


def _figures(leg: LegStatus) -> dict[str, Any]:
    figures = msgspec.structs.asdict(leg)
    figures["fees"] = {asset: plain(fee) for asset, fee in leg.fees.items()}
    figures["rebates"] = {asset: plain(rebate) for asset, rebate in leg.rebates.items()}
    figures["equity"] = [[iso_utc(at_ns), plain(profit)] for at_ns, profit in leg.equity]
    return _plain(figures)


def _plain(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: plain(value) if isinstance(value, Decimal) else value for name, value in figures.items()}
