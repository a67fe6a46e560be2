"""Why a bot's stops cannot mean what they say, told before it starts.

Pure: `rules` asks, and reports what it hears at the place of the field in question.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.model.instrument import plain
from engine.spec.grid_rules import Complaint
from engine.spec.types import RiskSpec

_OF_CAPITAL = ("stop_loss_pct", "take_profit_pct", "max_drawdown_pct")


def risk_complaints(risk: RiskSpec) -> Iterator[Complaint]:
    """Percentages of nothing, and limits that another one always comes before."""
    if risk.capital_usd is None:
        yield from (_percent_of_nothing(field) for field in _OF_CAPITAL if getattr(risk, field) is not None)
    elif risk.stop_loss_usd is not None and risk.stop_loss_usd > risk.capital_usd:
        yield _never_reached("stop_loss_usd", "capital_usd", plain(risk.capital_usd))
    stop, daily = risk.stop_loss_usd, risk.max_daily_loss_usd
    if stop is not None and daily is not None and daily > stop:
        yield _never_reached("max_daily_loss_usd", "stop_loss_usd", plain(stop))
    single, total = risk.max_order_notional_usd, risk.max_open_notional_usd
    if single is not None and total is not None and single > total:
        yield _never_reached("max_order_notional_usd", "max_open_notional_usd", plain(total))


def _percent_of_nothing(field: str) -> Complaint:
    return Complaint(
        code="missing-capital",
        field=("risk", field),
        message=f"risk.{field} is a share of risk.capital_usd, which is not given",
        hint="write risk.capital_usd: the money this bot works with, in quote",
    )


def _never_reached(field: str, nearer: str, amount: str) -> Complaint:
    return Complaint(
        code="never-reached",
        field=("risk", field),
        message=f"risk.{field} is more than risk.{nearer} ({amount}) and will never be reached",
        is_warning=True,
    )
