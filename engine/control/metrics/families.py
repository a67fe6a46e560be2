"""A fleet as Prometheus' metrics: base units, counters end in `_total`; what is not known is absent, never zero.

Names are part of the product: people's alerts are written in them. docs/guides/monitoring.md lists them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from prometheus_client.core import InfoMetricFamily, Metric

from engine import __version__
from engine.control.metrics.shapes import BOT, LEG, Labels, counter, gauge
from engine.control.metrics.snapshot import Snapshot
from engine.control.metrics.traded import of_trading
from engine.control.status import BotStatus
from engine.plan.observed import Leg
from engine.runtime.strain import MB


def families(snapshot: Snapshot) -> Iterator[Metric]:
    """Every metric of a fleet, each with all its samples."""
    yield from _of_fleet(snapshot)
    yield from _of_bots(snapshot.statuses)
    yield from _of_risk(snapshot.statuses)
    yield from _of_processes(snapshot)
    yield from _of_legs(snapshot.statuses)
    yield from of_trading(snapshot)


def _of_fleet(snapshot: Snapshot) -> Iterator[Metric]:
    yield InfoMetricFamily("botctl", "Which fleet this is.", {"version": __version__, "fleet": snapshot.fleet_id})
    yield gauge("generation", "Number of the generation in force.", (), [((), snapshot.generation)])
    answers = [((), snapshot.supervisor_answers)]
    yield gauge("supervisor_up", "Whether the process supervisor answers, or none is needed.", (), answers)
    running = [((name,), is_up) for name, is_up in snapshot.companions.items()]
    yield gauge("companion_up", "Whether a program beside the bots runs.", ("name",), running)


def _of_bots(bots: Iterable[BotStatus]) -> Iterator[Metric]:
    kinds = [((bot.name, bot.strategy, bot.fingerprint or ""), 1) for bot in bots]
    yield gauge("bot_info", "What a bot is, as labels.", ("bot", "strategy", "fingerprint"), kinds)
    states = [((bot.name, bot.state), 1) for bot in bots]
    yield gauge("bot_state", "The state a bot is in, as a label.", ("bot", "state"), states)
    yield _per_bot("needs_attention", "Whether a bot should not be left alone.", bots, lambda bot: not bot.is_calm)
    hedging = [bot for bot in bots if bot.hedge]
    yield _per_bot("hedge_residual", "What is not hedged, in base.", hedging, lambda bot: bot.hedge.residual)
    yield _per_bot("hedge_alarm", "Whether hedging fails.", hedging, lambda bot: bool(bot.hedge.alarm))


def _of_risk(statuses: Iterable[BotStatus]) -> Iterator[Metric]:
    bots = [bot for bot in statuses if bot.risk]
    yield _per_bot("net_pnl", "Profit after fees and funding, in quote.", bots, lambda bot: bot.risk.net_pnl)
    yield _per_bot("day_pnl", "Profit since midnight UTC, in quote.", bots, lambda bot: bot.risk.day_pnl)
    yield _per_bot("drawdown_ratio", "How far below its peak, as part of the capital.", bots, _drawdown)
    yield _per_bot("rejects_in_a_row", "Refusals by the venue.", bots, lambda bot: bot.risk.rejects_in_a_row)
    budgets = {name: figures for bot in bots if bot.risk for name, figures in bot.risk.budgets.items()}
    shared = [((name, figure), value) for name, figures in budgets.items() for figure, value in figures.items()]
    yield gauge("budget_usd", "A budget that bots share: its figures and limits.", ("budget", "figure"), shared)


def _drawdown(bot: Any) -> float | None:
    return None if bot.risk.drawdown_pct is None else float(bot.risk.drawdown_pct) / 100


def _of_processes(snapshot: Snapshot) -> Iterator[Metric]:
    memory = [((name,), used.memory_mb * MB) for name, used in snapshot.usage.items()]
    yield gauge("bot_memory_bytes", "Resident memory of a bot's process.", BOT, memory)
    cpu = [((name,), used.cpu_s) for name, used in snapshot.usage.items()]
    yield counter("bot_cpu_seconds", "Processor time of a bot's process.", BOT, cpu)


_LEG_FIGURES: tuple[tuple[str, str, Callable[[Leg], Any]], ...] = (
    ("ready", "Whether book, orders and position are known.", lambda leg: leg.ready),
    ("open_orders", "Own orders that rest.", lambda leg: leg.orders),
    ("unresolved_orders", "Own orders whose fate is not known yet.", lambda leg: leg.unresolved),
    ("position", "Own position, in base, signed.", lambda leg: leg.position),
    ("unexplained_position", "Position that nobody adopted or ignored, in base.", lambda leg: leg.unexplained),
    ("bid_price", "Own best bid.", lambda leg: leg.bid),
    ("ask_price", "Own best ask.", lambda leg: leg.ask),
)
_VENUE_FIGURES = (
    ("used_per_minute", "What was used of a count of the venue in the last minute, by everybody on this host."),
    ("limit_per_minute", "What the venue allows of it."),
    ("pace", "Part of that which is in force; below 1 after the venue asked for patience."),
)


def _of_legs(bots: Iterable[BotStatus]) -> Iterator[Metric]:
    legs = [(_labels(bot, name, leg), leg) for bot in bots for name, leg in bot.legs.items()]
    for name, text, value in _LEG_FIGURES:
        yield gauge(f"leg_{name}", text, LEG, [(labels, value(leg)) for labels, leg in legs])
    yield from _of_accounts([leg for _, leg in legs])


def _of_accounts(legs: Iterable[Leg]) -> Iterator[Metric]:
    """Bots that share an account share its budget, so it is told once."""
    uses = {(leg.venue, leg.account, count): use for leg in legs for count, use in leg.budget.items()}
    for name, text in _VENUE_FIGURES:
        samples = [(labels, getattr(use, name)) for labels, use in uses.items()]
        yield gauge(f"venue_budget_{name}", text, ("venue", "account", "count"), samples)


def _labels(bot: BotStatus, name: str, leg: Leg) -> Labels:
    return bot.name, name, leg.venue, leg.account, leg.market


def _per_bot(name: str, text: str, bots: Iterable[BotStatus], value: Callable[[Any], Any]) -> Metric:
    return gauge(f"bot_{name}", text, BOT, [((bot.name,), value(bot)) for bot in bots])
