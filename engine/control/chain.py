"""The chain of the audit log: every entry carries the sha256 of what stands before it, from the last entry on.

That is the line before, with its newline: `sed -n 6p audit.jsonl | sha256sum` is the `prev` of line 7. A line that
was torn by a kill or a power cut stands between two entries; the second then covers the first and the torn one. The
first entry covers everything that an earlier version wrote without a chain.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from engine.model.value import Value

END = b"\n"


class Verdict(Value, frozen=True, kw_only=True):
    """What checking a log gave. `broken` says in words where it is not as it was written."""

    hashes: tuple[str, ...] = ()
    """Of every entry in order, up to the first break."""
    begins: int = 0
    """The line of the first entry; 0 when there is none."""
    torn: tuple[int, ...] = ()
    broken: str = ""

    @property
    def head(self) -> str:
        """The hash that stands for the whole log; empty without an entry."""
        return self.hashes[-1] if self.hashes else ""


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def entry_of(line: bytes) -> dict[str, Any] | None:
    """The entry a line holds; None for a torn line, and for one from before there was a chain."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict):
        return None
    return entry if isinstance(entry.get("seq"), int) and isinstance(entry.get("prev"), str) else None


def from_last_entry(content: bytes) -> bytes | None:
    """The end of a log from its last entry on; None when it holds none."""
    end = len(content)
    while end > 0:
        start = content.rfind(END, 0, end - 1) + 1
        if entry_of(content[start:end]) is not None:
            return content[start:]
        end = start
    return None


def seal(before: bytes, facts: Mapping[str, Any]) -> bytes:
    """The next line, for a log that ends with `before`: its last entry and what is torn behind it."""
    last = entry_of(before.partition(END)[0])
    chained = {"seq": last["seq"] + 1 if last else 1, "prev": digest(before), **facts}
    return json.dumps(chained, ensure_ascii=False).encode() + END


def verify(content: bytes) -> Verdict:
    """Follow the chain from its beginning to the first line that does not fit."""
    hashes: list[str] = []
    torn: list[int] = []
    begins, covered, last = 0, 0, 1
    for number, start, line in _lines(content):
        entry = entry_of(line) if line.endswith(END) else None
        if entry is None:
            torn += [number] if begins or not line.endswith(END) else []
            continue
        if broken := _break(entry, content[covered:start], len(hashes), last, number):
            return Verdict(hashes=tuple(hashes), begins=begins, torn=tuple(torn), broken=broken)
        hashes.append(digest(line))
        begins, covered, last = begins or number, start, number
    return Verdict(hashes=tuple(hashes), begins=begins, torn=tuple(torn))


def _break(entry: Mapping[str, Any], before: bytes, known: int, last: int, number: int) -> str:
    """Why an entry is not the next one of a log; empty when it is. `last` is the line of the entry before."""
    if entry["seq"] != known + 1:
        return f"line {number} is entry {entry['seq']} where entry {known + 1} belongs"
    if entry["prev"] != digest(before):
        lines = f"line {last}" if number - last < 2 else f"lines {last} to {number - 1}"
        return f"{lines} changed after line {number} was written" if number > 1 else "line 1 is not a beginning"
    return ""


def _lines(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Number, offset and bytes of every line, with its newline where it has one."""
    start = 0
    for number, line in enumerate(content.split(END), 1):
        whole = line + END if start + len(line) < len(content) else line
        if whole:
            yield number, start, whole
        start += len(whole)
