"""Reads the `console` blocks of a page: what a reader types, and what the page says they will see.

A line that starts with `$ ` is typed; the lines after it are its output. Where a page shows no output, none is
compared. Numbers differ from run to run, so any number matches any other, and the dash or question mark that
stands where there is none yet. `…` matches anything within a line; a line that is only `…` matches any lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"[-+]?\d(?:[\d.,:]*\d)?")
ANY_NUMBER = rf"(?:{NUMBER.pattern}|-|\?)"
ANY_LINES = "(?:.*\n)*?"


@dataclass(kw_only=True)
class Typed:
    """One command of a page, with the place where it stands."""

    place: str
    command: str
    output: list[str] = field(default_factory=list)

    def matches(self, printed: str) -> bool:
        return not self.output or re.fullmatch(self._pattern(), _tidy(printed)) is not None

    def _pattern(self) -> str:
        return "".join(ANY_LINES if line == "…" else _line_pattern(line) + "\n" for line in self.output)


def typed_in(page: Path) -> list[Typed]:
    """Every command of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found: list[Typed] = []
    for block in BLOCK.finditer(text):
        first_line = text.count("\n", 0, block.start(1)) + 1
        for number, line in enumerate(block.group(1).splitlines(), first_line):
            if line.startswith("$ "):
                found.append(Typed(place=f"{page.name}:{number}", command=line[2:]))
            elif line.strip() or found[-1].output:
                found[-1].output.append(line.rstrip())
    for typed in found:
        while typed.output and not typed.output[-1]:
            typed.output.pop()
    return found


def _tidy(printed: str) -> str:
    lines = [line.rstrip() for line in printed.rstrip("\n").splitlines()]
    return "\n".join(lines) + "\n"


def _line_pattern(line: str) -> str:
    pieces = re.split(rf"(…|\s+|{NUMBER.pattern})", line)
    return "".join(_piece_pattern(piece) for piece in pieces)


def _piece_pattern(piece: str) -> str:
    if piece == "…":
        return ".*"
    if piece.isspace():
        return r"\s+"
    if NUMBER.fullmatch(piece):
        return ANY_NUMBER
    return re.escape(piece)
