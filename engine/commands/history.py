"""`botctl history`: who applied what and when, how it ended, and which generation is in force."""

from __future__ import annotations

import json
from typing import Annotated

import msgspec
import typer

from engine.commands.options import Directory, Json
from engine.commands.table import table
from engine.control.fleet import open_fleet
from engine.control.history import Past, history

HEAD = ("GEN", "", "WHEN", "WHO", "VERB", "WHAT", "RESULT")


def command(
    directory: Directory = None,
    as_json: Json = False,
    count: Annotated[int, typer.Option("-n", "--lines", metavar="N", min=1, help="how many of the newest")] = 20,
) -> None:
    """Show what was applied so far, newest first. `*` marks the generation in force."""
    found = history(open_fleet(directory, verb="history").workspace, count)
    if as_json:
        print(json.dumps([msgspec.to_builtins(past) for past in found], indent=2, ensure_ascii=False))
    elif found:
        print("\n".join([table(HEAD, [_row(past) for past in found]), *filter(None, map(_note, found))]))
    else:
        print("nothing was applied here yet")


def _row(past: Past) -> tuple[str, ...]:
    verb = past.verb or "-"
    return (
        str(past.number),
        "*" if past.is_current else "",
        past.started_at[:19].replace("T", " ") or "-",
        past.who or "-",
        verb if past.came_from is None else f"{verb} to {past.came_from}",
        past.words or "-",
        past.result,
    )


def _note(past: Past) -> str:
    """What a person wants to know of it beside the line; nothing for one that went well without a word."""
    told = [past.error, f"why: {past.why}" if past.why else ""]
    words = "; ".join(filter(None, told))
    return f"{past.number}: {words}" if words else ""
