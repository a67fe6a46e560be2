"""`botctl market`: what a venue says of its markets, and what a maker would read from it."""

from __future__ import annotations

import json
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from engine.clock import NS_PER_S, iso_utc
from engine.commands.market_record import record
from engine.commands.options import Directory, Json
from engine.commands.table import table
from engine.control.venue_questions import (
    Counter,
    list_markets,
    market_book,
    market_candles,
    market_info,
    open_counter,
)
from engine.errors import Unavailable, UsageError
from engine.exchanges.interface import Candle
from engine.host.workspace import find_workspace
from engine.model.instrument import Instrument, plain
from engine.strategies.analysis import analyse

LEVELS_SHOWN = 10


class What(StrEnum):
    LIST = "list"
    INFO = "info"
    BOOK = "book"
    KLINES = "klines"
    ANALYSE = "analyse"
    RECORD = "record"


def command(
    what: Annotated[What, typer.Argument(help="list, info, book, klines, analyse or record")],
    market: Annotated[str | None, typer.Argument(help="as `list` spells it")] = None,
    account: Annotated[str | None, typer.Option("--account", "-a", help="any account at the venue")] = None,
    directory: Directory = None,
    as_json: Json = False,
    minutes: Annotated[int, typer.Option(min=1, max=1000, help="how far back klines and analyse look")] = 60,
    duration: Annotated[
        str | None,
        typer.Option("--for", metavar="DURATION", help="how long to record: 90s, 15m, 1h; else till Ctrl-C"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="where to record; .gz is compressed")
    ] = None,
) -> None:
    """Look at a venue's markets. Asks only what is public."""
    if (duration or output) and what is not What.RECORD:
        raise UsageError("--for and --output are for recording", hint="botctl market record MARKET -o FILE")
    counter = open_counter(find_workspace(directory), account)
    if what is What.LIST:
        found = sorted(list_markets(counter), key=lambda instrument: instrument.symbol)
        show([_facts(instrument) for instrument in found], as_json)
        return
    if market is None:
        raise UsageError(f"market {what} needs a market", hint="botctl market list")
    if what is What.RECORD:
        show([record(counter, market, output, duration)], as_json)
        return
    instrument = market_info(counter, market)
    rows = {What.INFO: _info, What.BOOK: _book, What.KLINES: _klines, What.ANALYSE: _analysis}[what]
    show(rows(counter, instrument, minutes), as_json)


def show(rows: list[dict[str, Any]], as_json: bool) -> None:
    """The same rows for programs and for people."""
    if as_json:
        print(json.dumps(msgspec.to_builtins(rows), indent=2))
    elif not rows:
        print("none")
    elif len(rows) == 1:
        print(table(("FIELD", "VALUE"), [(name, _cell(value)) for name, value in rows[0].items()]))
    else:
        head = tuple(name.upper() for name in rows[0])
        print(table(head, [tuple(_cell(value) for value in row.values()) for row in rows]))


def _cell(value: object) -> str:
    return "unknown" if value is None else str(value)


def _facts(instrument: Instrument) -> dict[str, Any]:
    numbers = ("tick_size", "lot_size", "min_size", "min_notional", "maker_fee", "taker_fee")
    words = {"market": instrument.symbol, "kind": str(instrument.kind)}
    return {**words, **{name: plain(getattr(instrument, name)) for name in numbers}}


def _info(_counter: Counter, instrument: Instrument, _minutes: int) -> list[dict[str, Any]]:
    return [{**_facts(instrument), "base": instrument.base, "quote": instrument.quote}]


def _book(counter: Counter, instrument: Instrument, _minutes: int) -> list[dict[str, Any]]:
    book = market_book(counter, instrument)
    sides = (("ask", reversed(book.asks[:LEVELS_SHOWN])), ("bid", book.bids[:LEVELS_SHOWN]))
    return [
        {"side": side, "price": instrument.price_text(ticks), "size": instrument.size_text(lots)}
        for side, levels in sides
        for ticks, lots in levels
    ]


def _klines(counter: Counter, instrument: Instrument, minutes: int) -> list[dict[str, Any]]:
    candles = _candles(counter, instrument, minutes)
    if candles is None:
        raise Unavailable(f"botctl cannot ask {instrument.venue} for candles")
    prices = ("open", "high", "low", "close", "volume")
    return [
        {"start": iso_utc(candle.start_ns), **{name: plain(getattr(candle, name)) for name in prices}}
        for candle in candles
    ]


def _analysis(counter: Counter, instrument: Instrument, minutes: int) -> list[dict[str, Any]]:
    book = market_book(counter, instrument)
    closes = [candle.close for candle in _candles(counter, instrument, minutes) or ()]
    found = analyse(instrument, book.bids, book.asks, closes)
    if found is None:
        raise Unavailable(f"a side of the book of {instrument.symbol} is empty")
    return [{"market": instrument.symbol, **msgspec.structs.asdict(found), "mid": plain(found.mid)}]


def _candles(counter: Counter, instrument: Instrument, minutes: int) -> tuple[Candle, ...] | None:
    since_ns = time.time_ns() - minutes * 60 * NS_PER_S
    return market_candles(counter, instrument, since_ns=since_ns)
