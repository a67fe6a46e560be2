"""`botctl logs`: a bot's JSON log, rendered for people."""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from engine.commands.options import Directory, Json
from engine.control.fleet import open_fleet
from engine.errors import UsageError

POLL_S = 0.2
_HEADLINE = ("at", "level", "logger", "message", "traceback")


def command(
    name: Annotated[str, typer.Argument(help="a bot, `sentinel`, `watch` or `sim-VENUE`")],
    directory: Directory = None,
    as_json: Json = False,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="go on with new lines")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="how many of the newest")] = 50,
) -> None:
    """Show the newest lines of a bot's log; times are UTC."""
    folder = open_fleet(directory, verb="logs").workspace.logs
    path = _find(folder, name)
    for line in _newest(path, lines):
        print(line if as_json else readable(line))
    if follow:
        for line in _new_lines(path):
            print(line if as_json else readable(line), flush=True)


def readable(line: str) -> str:
    """`11-22 14:01:13.250Z info  message key=value`; a line that is no JSON object stays as it is."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    if not isinstance(entry, dict):
        return line
    clock = str(entry.get("at", ""))[5:].replace("T", " ")
    facts = " ".join(f"{key}={value}" for key, value in entry.items() if key not in _HEADLINE)
    text = f"{clock} {entry.get('level', ''):<7} {entry.get('message', '')} {facts}".rstrip()
    return f"{text}\n{entry['traceback']}" if entry.get("traceback") else text


def _find(folder: Path, name: str) -> Path:
    """The bot's own log; what its process printed, when it never got as far as a log."""
    for file in (f"{name}.jsonl", f"bot-{name}.out", f"{name}.out"):
        if (folder / file).is_file():
            return folder / file
    known = sorted(path.stem for path in folder.glob("*.jsonl"))
    raise UsageError(f"no log of {name!r} in {folder}", hint=f"there are: {', '.join(known) or 'none yet'}")


def _newest(path: Path, count: int) -> list[str]:
    with path.open(encoding="utf-8", errors="replace") as file:
        return [line.rstrip("\n") for line in deque(file, maxlen=count)]


def _new_lines(path: Path) -> Iterator[str]:
    """Lines written from now on, across the file being moved aside and begun anew."""
    file = path.open(encoding="utf-8", errors="replace")
    file.seek(0, 2)
    part = ""
    try:
        while True:
            part += file.readline()
            if part.endswith("\n"):
                yield part.rstrip("\n")
                part = ""
            elif path.exists() and path.stat().st_ino != os.fstat(file.fileno()).st_ino:
                file.close()
                file = path.open(encoding="utf-8", errors="replace")
            else:
                time.sleep(POLL_S)
    finally:
        file.close()
