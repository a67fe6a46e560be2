"""`botctl export`: every own fill and funding payment, for a spreadsheet or a program."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from engine.clock import NS_PER_US
from engine.commands.options import Directory
from engine.commands.outfile import write_out
from engine.control.export import Line, journals_of, lines_of
from engine.control.fleet import open_view
from engine.errors import UsageError

COLUMNS = tuple(name for name in Line.__struct_fields__ if name != "at_ns")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


def command(
    bots: Annotated[
        list[str] | None, typer.Argument(metavar="[BOT]…", help="none is all, also former ones", show_default=False)
    ] = None,
    directory: Directory = None,
    format: Annotated[Format, typer.Option("--format", help="csv, or one JSON object per line")] = Format.CSV,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="UTC: 2026-01-01, or with T12:00")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="UTC, itself left out")] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="write a file, in one step")
    ] = None,
) -> None:
    """Write every own fill and funding payment that the journals know, with position and realised profit."""
    workspace = open_view(directory, verb="export").workspace
    first_ns, end_ns = _instant("--since", since), _instant("--until", until)
    if first_ns is not None and end_ns is not None and first_ns >= end_ns:
        raise UsageError(f"no time lies between --since {since} and --until {until}", hint="put the earlier first")
    lines = (line for bot, file in journals_of(workspace, bots or ()) for line in lines_of(bot, file))
    chosen = (
        line
        for line in lines
        if (first_ns is None or line.at_ns >= first_ns) and (end_ns is None or line.at_ns < end_ns)
    )
    texts = _csv(chosen) if format is Format.CSV else _json_lines(chosen)
    if out is None:
        sys.stdout.writelines(texts)
    else:
        write_out(out, "".join(texts).encode())


def _csv(lines: Iterable[Line]) -> Iterator[str]:
    """With names in the first row, as spreadsheets want it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in lines:
        writer.writerow([getattr(line, name) for name in COLUMNS])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _json_lines(lines: Iterable[Line]) -> Iterator[str]:
    for line in lines:
        told = msgspec.to_builtins(line)
        yield json.dumps({name: told[name] for name in COLUMNS if told[name] != ""}) + "\n"


def _instant(option: str, written: str | None) -> int | None:
    if written is None:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise UsageError(f"{option} {written}: no time", hint="2026-01-31, or 2026-01-31T12:00:00") from None
    since_epoch = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH
    return since_epoch // timedelta(microseconds=1) * NS_PER_US
