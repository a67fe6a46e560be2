"""`botctl stats`: what each bot did and made, over all its lives and in its newest run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from engine.commands.options import Directory, Json, Names
from engine.commands.table import table
from engine.control.fleet import open_fleet
from engine.control.statistics import BotStatistics, fleet_statistics

BARS = "▁▂▃▄▅▆▇█"
CURVE_WIDTH = 32
UNKNOWN = "-"
Cells = Iterator[tuple[str, str]]


def command(names: Names = None, directory: Directory = None, as_json: Json = False) -> None:
    """Show volumes, profit, orders, times and latencies of bots."""
    bots = fleet_statistics(open_fleet(directory, verb="stats"), names or ())
    if as_json:
        print(json.dumps(msgspec.to_builtins(bots), indent=2))
    else:
        print("\n\n".join(map(_text, bots)) or "nothing is applied here; `botctl plan` shows what would be")


def _text(bot: BotStatistics) -> str:
    lines = [f"{bot.name}: {bot.strategy}" + (f", from its journal: {bot.why}" if bot.why else "")]
    for name, leg in bot.legs.items():
        lines += [_head(name, leg), _beside(dict(_cells(leg, leg["total"])), dict(_cells(leg, leg["run"])))]
        lines += list(_levels(leg))
    if not bot.legs:
        lines.append("nothing traded yet")
    if len(bot.legs) > 1 and bot.total and bot.run:
        lines += ["all legs", _beside(dict(_whole("", bot.total)), dict(_whole("", bot.run)))]
    if bot.hedge:
        lines.append(f"not hedged now: {bot.hedge['residual']}")
    return "\n".join(lines)


def _beside(total: dict[str, str], run: dict[str, str]) -> str:
    return table(("", "TOTAL", "THIS RUN"), [(label, total[label], run[label]) for label in total])


def _head(name: str, leg: dict[str, Any]) -> str:
    parts = [f"{name}: {leg['venue']} {leg['market']}", f"position {leg['position']} {leg['base']}"]
    if leg["entry_price"] is not None:
        parts.append(f"entered at {leg['entry_price']}")
    if leg["unrealised_pnl"] is not None:
        parts.append(f"unrealised {leg['unrealised_pnl']} {leg['quote']}")
    return ", ".join([*parts, f"run {leg['runs']}"])


def _cells(leg: dict[str, Any], span: dict[str, Any]) -> Cells:
    """One span of a leg, by the label of its row."""
    quote, base = leg["quote"], leg["base"]
    yield "since", span["since"] or UNKNOWN
    yield "fills", str(span["fills"])
    yield f"bought {base}", span["bought"]
    yield f"sold {base}", span["sold"]
    for liquidity, sides in span["volume"].items():
        yield from ((f"{liquidity} {side} {quote}", volume) for side, volume in sides.items())
    yield "fees", _by_asset(span["fees"])
    yield "rebates in them", _by_asset(span["rebates"])
    yield f"funding {quote}", span["funding"]
    yield f"realised {quote}", span["realised_pnl"]
    yield from _whole(quote, span)
    yield from _curve(quote, span)
    if leg["levels"]:
        yield f"grid profit {quote}", span["grid_profit"]
    yield from _orders(span)
    yield from _times(span)


def _whole(quote: str, span: dict[str, Any]) -> Cells:
    yield f"volume {quote}".strip(), span["quote_volume"]
    yield f"net {quote}".strip(), _known(span["net_pnl"])
    yield "wear bps", _known(span["wear_bps"])


def _curve(quote: str, span: dict[str, Any]) -> Cells:
    yield "equity", _sparkline([float(profit) for _, profit in span["equity"]])
    yield f"last, high, low {quote}", f"{span['equity_last']}, {span['equity_high']}, {span['equity_low']}"
    yield f"deepest fall {quote}", span["peak_drawdown"]


def _orders(span: dict[str, Any]) -> Cells:
    yield from ((f"orders {fate}", str(count)) for fate, count in span["orders"].items())
    yield "fill ratio", _known(span["fill_ratio"])


def _times(span: dict[str, Any]) -> Cells:
    touch = span["touch"]
    for side in ("bid", "ask"):
        yield f"{side} at the touch", _share(touch[f"{side}_s"], touch["watched_s"])
    for name, taken in span["latency"].items():
        figures = (
            "/".join(f"{taken[key]:.4g}" for key in ("p50_ms", "p95_ms", "p99_ms")) if taken["count"] else UNKNOWN
        )
        yield f"{name.replace('_', ' ')} ms", figures


def _levels(leg: dict[str, Any]) -> Iterator[str]:
    """The grid's cells that have traded, where there is a grid."""
    if leg["levels"]:
        columns = ("side", "open_price", "close_price", "size", "held", "rounds", "profit")
        rows = [[str(level[column]) for column in columns] for level in leg["levels"]]
        yield table([column.upper().replace("_", " ") for column in columns], rows)


def _known(figure: str | None) -> str:
    return UNKNOWN if figure is None else figure


def _by_asset(amounts: dict[str, str]) -> str:
    return ", ".join(f"{amount} {asset}" for asset, amount in sorted(amounts.items())) or UNKNOWN


def _share(part_s: float, whole_s: float) -> str:
    return f"{part_s / whole_s:.1%} of {whole_s:.0f} s" if whole_s else UNKNOWN


def _sparkline(points: list[float]) -> str:
    """A curve as a row of bars, thinned out evenly to fit."""
    if not points:
        return UNKNOWN
    stride = -(-len(points) // CURVE_WIDTH)
    shown = points[::-stride][::-1]
    low, span = min(shown), max(shown) - min(shown)
    return "".join(BARS[round((point - low) / span * (len(BARS) - 1)) if span else 0] for point in shown)
