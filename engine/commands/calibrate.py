"""`botctl calibrate`: what a recorded market says about `pricing`, as values to write into a bot."""

from __future__ import annotations

from math import sqrt
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.commands.market import show
from engine.commands.options import Json
from engine.errors import UsageError
from engine.sim.recording import BEST, GAP, TRADE, parse_line, recorded_lines
from engine.strategies.calibration import Calibration, Calibrator

DIGITS = 4
SECONDS_A_MINUTE = 60


def command(
    recording: Annotated[Path, typer.Argument(help="recorded messages, plain or gzipped")],
    interval_s: Annotated[
        float, typer.Option("--interval-s", min=0.05, max=600, help="how long a quote stands where it was put")
    ] = 1,
    risk_aversion: Annotated[
        float, typer.Option("--risk-aversion", min=1e-6, max=1000, help="for the suggested spread, per bps")
    ] = 0.01,
    as_json: Json = False,
) -> None:
    """Measure volatility and order arrivals in a recording of a market."""
    if not recording.is_file():
        raise UsageError(f"there is no recording at {recording}", hint="botctl market record MARKET -o FILE")
    found = calibrate(recording, interval_s)
    show([_row(found, risk_aversion)] if as_json else _lines(found, risk_aversion), as_json)


def calibrate(recording: Path, interval_s: float) -> Calibration:
    """The parameters that fit the recording; BotctlError when it is none or says too little."""
    calibrator = Calibrator(interval_s)
    for at_ns, message in map(parse_line, recorded_lines(recording)()):
        if message.e == BEST and isinstance(message.b, str) and isinstance(message.a, str):
            calibrator.saw_mid((float(message.b) + float(message.a)) / 2, at_ns)
        elif message.e == TRADE:
            calibrator.saw_trade(float(message.p), at_ns, bought=not message.m)
        elif message.e == GAP:
            calibrator.saw_gap()
    return calibrator.calibration()


def _row(found: Calibration, risk_aversion: float) -> dict[str, Any]:
    numbers = {
        "order_book_liquidity": found.order_book_liquidity,
        "arrival_rate": found.arrival_rate,
        "volatility_bps": found.volatility_bps,
        "volatility_bps_per_minute": found.volatility_bps * sqrt(SECONDS_A_MINUTE),
        "suggested_spread_bps": found.spread_bps(risk_aversion),
        "fit": found.fit,
        "seconds": found.seconds,
    }
    return {**{name: float(f"{number:.{DIGITS}g}") for name, number in numbers.items()}, "trades": found.trades}


_MEANING = {
    "order_book_liquidity": "per bps",
    "arrival_rate": "fills a second at the mid",
    "volatility_bps": "bps per root of a second",
    "volatility_bps_per_minute": "bps per root of a minute",
    "suggested_spread_bps": "bps, without inventory risk and fees",
    "fit": "1: fills thin out exactly as the models assume",
    "seconds": "recorded",
    "trades": "recorded",
}


def _lines(found: Calibration, risk_aversion: float) -> list[dict[str, Any]]:
    return [
        {"parameter": name, "value": f"{value:g}", "unit": _MEANING[name]}
        for name, value in _row(found, risk_aversion).items()
    ]
