"""The strategies of the legacy forms in this program's settings. Sizes are in base, prices in quote there too."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.spec.legacy.intake import Intake

Section = dict[str, str]
"""Settings by name, with a dot before one that lies deeper; the values are YAML scalars."""

PERP, SPOT = "perp", "spot"
_OLD_LAYERS, _LAYER_STEP_TICKS = "3", "2"
_BPS_OF_PCT, _PCT_OF_ONE = 100, 100
_GRID_RANGE_PCT = "5"
_SPACINGS = {"arithmetic": "arithmetic", "geometric": "geometric"}
_DIRECTIONS = {"neutral": "neutral", "long": "long", "short": "short"}
_BOUNDARY = {"emergency_close": "close_and_stop", "adjust_range": "recenter", "stop_only": "stop", "hold": "hold"}


def kind_of(strategy: str, market_type: str | None) -> str | None:
    """The strategy's kind here; None for one that there is not."""
    is_perp = market_type == PERP or strategy.startswith("perp_")
    kinds = {
        "standard": "perp_market_maker" if is_perp else "market_maker",
        "market_maker": "perp_market_maker" if is_perp else "market_maker",
        "market_making": "perp_market_maker" if is_perp else "market_maker",
        "perp_standard": "perp_market_maker",
        "perp_market_maker": "perp_market_maker",
        "grid": "perp_grid" if is_perp else "grid",
        "perp_grid": "perp_grid",
        "maker_hedge": "maker_taker_hedge",
        "maker_taker_hedge": "maker_taker_hedge",
    }
    return kinds.get(strategy)


def strategy_section(kind: str, intake: Intake) -> Section:
    """The section `strategy` of a bot of this kind."""
    return {"kind": kind, **_said(_READERS[kind](intake))}


def _market_maker(intake: Intake) -> Mapping[str, str | None]:
    section = {**_layers(intake), "base_target_pct": intake.number("base_target", "strategy.base_target_pct")}
    threshold = intake.number("rebalance_threshold", "strategy.rebalance_threshold_pct")
    rebalances = intake.flag("enable_rebalance", "strategy.rebalance_threshold_pct", otherwise=True)
    return {**section, "rebalance_threshold_pct": threshold if rebalances else "null"}


def _perp_market_maker(intake: Intake) -> Mapping[str, str | None]:
    skew = intake.number("inventory_skew", "strategy.inventory_skew")
    return {**_layers(intake), "inventory_skew": skew or "0"}


def _layers(intake: Intake) -> Mapping[str, str | None]:
    layers = intake.number("layers", "strategy.layers") or _OLD_LAYERS
    if layers != "1":
        words = "layers lay 1.5, 4.2, 7.8 … ticks behind the first; here each is 2 ticks behind the one before"
        intake.note("layers", words)
    return {
        "spread_bps": intake.number("spread", "strategy.spread_bps", times=_BPS_OF_PCT),
        "order_size": intake.number("order_size", "strategy.order_size"),
        "layers": layers,
        "layer_step.ticks": None if layers == "1" else _LAYER_STEP_TICKS,
        "post_only": intake.choice("post_only", "strategy.post_only", {"true": "true", "false": "false"}),
    }


def _hedge(intake: Intake) -> Mapping[str, str | None]:
    intake.not_needed("spread", "the maker leg quotes at the touch, as it did")
    intake.not_needed("layers", "one order rests on each side, as it did")
    intake.not_needed("inventory_skew", "what is filled is hedged at once")
    return {"order_size": intake.number("order_size", "strategy.order_size")}


def _grid(intake: Intake) -> Mapping[str, str | None]:
    return {
        **_range(intake),
        "levels": intake.number("levels", "strategy.levels"),
        "spacing": intake.choice("spacing", "strategy.spacing", _SPACINGS),
        "order_size": intake.number("order_size", "strategy.order_size"),
    }


def _perp_grid(intake: Intake) -> Mapping[str, str | None]:
    direction = intake.choice("direction", "strategy.direction", _DIRECTIONS)
    return {"direction": direction, **_grid(intake), **_boundary(intake)}


def _range(intake: Intake) -> Mapping[str, str | None]:
    """Fixed bounds, or so many percent around the price."""
    if intake.flag("auto_range", "strategy.auto_range_pct", otherwise=False):
        for bound in ("lower", "upper"):
            intake.not_needed(bound, "auto_range_pct says the range")
        return {"auto_range_pct": intake.number("range_pct", "strategy.auto_range_pct") or _GRID_RANGE_PCT}
    intake.not_needed("range_pct", "the bounds are fixed")
    return {name: intake.number(name, f"strategy.{name}") for name in ("lower", "upper")}


def _boundary(intake: Intake) -> Mapping[str, str | None]:
    """What happens outside the range; the old program closed and ended unless it was told otherwise."""
    if not intake.flag("enable_boundary_check", "strategy.boundary_action", otherwise=True):
        for name in ("boundary_action", "boundary_tolerance"):
            intake.not_needed(name, "bounds were not watched: boundary_action is hold")
        return {"boundary_action": "hold"}
    action = intake.choice("boundary_action", "strategy.boundary_action", _BOUNDARY) or "close_and_stop"
    if action == "stop":
        intake.note("boundary_action", "the bot does not end: its orders are back when the market is")
    tolerance = intake.number("boundary_tolerance", "strategy.boundary_tolerance_pct", times=_PCT_OF_ONE)
    return {"boundary_action": action, "boundary_tolerance_pct": tolerance or "0.1"}


def risk_section(intake: Intake) -> Section:
    """The section `risk`, for every kind."""
    stop_loss = intake.number("stop_loss", "risk.stop_loss_usd", magnitude=True)
    take_profit = intake.number("take_profit", "risk.take_profit_usd", magnitude=True)
    if stop_loss or take_profit:
        intake.note("stop_loss, take_profit", "they bound the bot's net profit, fees and closed trades included")
    return _said(
        {
            "max_position": intake.number("max_position", "risk.max_position"),
            "stop_loss_usd": stop_loss,
            "take_profit_usd": take_profit,
        }
    )


def process_section(intake: Intake) -> Section:
    """The section `process` but for its proxy."""
    levels = {level: level for level in ("debug", "info", "warning", "error")}
    return _said(
        {
            "duration_s": intake.number("duration", "process.duration_s", magnitude=True),
            "max_memory_mb": intake.number("memory_limit_mb", "process.max_memory_mb"),
            "max_cpu_pct": intake.number("cpu_limit_percent", "process.max_cpu_pct"),
            "max_restarts_per_hour": intake.number("max_restart_attempts", "process.max_restarts_per_hour"),
            "stop_timeout_s": intake.number("stop_timeout", "process.stop_timeout_s"),
            "log_level": intake.choice("log_level", "process.log_level", levels),
        }
    )


def _said(section: Mapping[str, str | None]) -> Section:
    return {name: scalar for name, scalar in section.items() if scalar is not None}


_READERS: Mapping[str, Callable[[Intake], Mapping[str, str | None]]] = {
    "market_maker": _market_maker,
    "perp_market_maker": _perp_market_maker,
    "maker_taker_hedge": _hedge,
    "grid": _grid,
    "perp_grid": _perp_grid,
}
