"""`botctl market record`: a market written into a file, for `calibrate` and for simulated venues."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from engine.control.recording import Progress, record_market
from engine.control.venue_questions import Counter
from engine.errors import UsageError
from engine.spec.durations import duration_s

_CLEAR = "\r\x1b[K"


def read_duration(text: str) -> float:
    """`90s`, `15m`, `1h30m`, `2d`, in seconds; UsageError for anything else and for nothing."""
    seconds = duration_s(text)
    if seconds is None:
        raise UsageError(f"--for {text!r} is no duration", hint="for example --for 90s, 15m, 1h or 1h30m")
    return float(seconds)


def record(counter: Counter, market: str, path: Path | None, duration: str | None) -> dict[str, Any]:
    """Record with a line of progress on a terminal; what was recorded, as a row."""
    if path is None:
        raise UsageError("market record needs a file to write", hint="for example -o market.gz")
    for_s = None if duration is None else read_duration(duration)
    shows = sys.stderr.isatty()
    try:
        found = record_market(counter, market, path, for_s, _show if shows else lambda _progress: None)
    finally:
        if shows:
            print(_CLEAR, end="", file=sys.stderr, flush=True)
    return {"recording": str(path), **_row(found)}


def _row(found: Progress) -> dict[str, Any]:
    counts = {name: getattr(found, name) for name in ("books", "trades", "gaps", "size_bytes")}
    return {"seconds": round(found.seconds), **counts}


def progress_line(progress: Progress) -> str:
    """What a terminal shows while it goes on."""
    minutes, seconds = divmod(int(progress.seconds), 60)
    counts = f"{progress.books} changes of the book, {progress.trades} trades, {progress.gaps} gaps"
    doubt = f", no book: {progress.lost_because}" if progress.lost_because else ""
    return f"{minutes}:{seconds:02} {counts}, {progress.size_bytes / 1e6:.1f} MB{doubt}; Ctrl-C ends it"


def _show(progress: Progress) -> None:
    print(_CLEAR + progress_line(progress), end="", file=sys.stderr, flush=True)
