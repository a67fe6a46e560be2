"""What is wrong with a file, for people: where, what, the line itself with a caret, and what to do next.

Every stage of loading reports into one `Findings`, so that all errors come at once and in the order of the
files. Nothing that could be a pasted secret is ever shown: lines are masked before they are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

import msgspec

from engine.model.value import Value
from engine.spec.document import Place
from engine.spec.masking import mask_lines

LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What YAML counts as the end of a line; anything else would shift line numbers."""

_SHOWN_WIDTH = 110
_MAX_RELATED = 8
"""Places shown beside one finding: a slip in a template is used by every bot of a matrix."""


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Related(Value, frozen=True, kw_only=True, order=True):
    """Another place that has to do with it: `template used here`."""

    note: str
    place: Place


class Diagnostic(Value, frozen=True, kw_only=True):
    """One finding. `code` is stable, for programs; the rest is for people."""

    severity: Severity
    code: str
    message: str
    place: Place
    snippet: str = ""
    hint: str | None = None
    related: tuple[Related, ...] = ()

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR


class Findings:
    """Collects diagnostics while files are loaded; knows the files' text for snippets."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._masked: dict[str, list[str]] = {}
        self._found: dict[tuple[Place, str, str], Diagnostic] = {}

    def beside(self) -> Findings:
        """An empty one over the same texts, which are masked once for both."""
        other = Findings(self._texts)
        other._masked = self._masked
        return other

    def error(self, code: str, message: str, place: Place, *, hint: str | None = None) -> None:
        """Something that must not run."""
        self.add(Diagnostic(severity=Severity.ERROR, code=code, message=message, place=place, hint=hint))

    def warning(self, code: str, message: str, place: Place, *, hint: str | None = None) -> None:
        """Something that could not be checked, or is probably not meant."""
        self.add(Diagnostic(severity=Severity.WARNING, code=code, message=message, place=place, hint=hint))

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep a finding; one that is there already only gains the other's related places."""
        key = (diagnostic.place, diagnostic.code, diagnostic.message)
        known = self._found.get(key)
        related = tuple(sorted({*diagnostic.related, *(known.related if known else ())}))
        snippet = diagnostic.snippet or self._line(diagnostic.place)
        self._found[key] = msgspec.structs.replace(diagnostic, snippet=snippet, related=related)

    def take(self, others: Findings, *, relate: Callable[[Place], tuple[Related, ...]] = lambda _place: ()) -> None:
        """Take over findings, each with what `relate` says has to do with its place."""
        for diagnostic in others.sorted():
            related = (*diagnostic.related, *relate(diagnostic.place))
            self.add(msgspec.structs.replace(diagnostic, related=related))

    def has_error_at(self, place: Place) -> bool:
        """Whether something is already known to be wrong just there: what follows from it need not be said."""
        return any(found.is_error and found.place == place for found in self._found.values())

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Everything found, by file, line and column."""
        return tuple(sorted(self._found.values(), key=lambda found: (found.place, found.code, found.message)))

    @property
    def has_errors(self) -> bool:
        return any(found.is_error for found in self._found.values())

    def _line(self, place: Place) -> str:
        if place.file not in self._masked:
            text = self._texts.get(place.file, "").removeprefix("\ufeff")
            self._masked[place.file] = mask_lines(LINE_BREAK.split(text))
        lines = self._masked[place.file]
        return lines[place.line - 1] if place.line <= len(lines) else ""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """A hint that names the closest known word, or all of them when none is close."""
    words = sorted(known)
    return closest(word, words) or (f"known here: {', '.join(words)}" if words else None)


def closest(word: str, known: Iterable[str]) -> str | None:
    """A hint that names the closest known word, if one is close."""
    close = get_close_matches(word, list(known), n=1)
    return f"did you mean `{close[0]}`?" if close else None


def render(diagnostic: Diagnostic) -> str:
    """`file:line:column: error: …`, the line with a caret, and the hint."""
    lines = [f"{diagnostic.place}: {diagnostic.severity}: {diagnostic.message} [{diagnostic.code}]"]
    if diagnostic.snippet.strip():
        number = f"{diagnostic.place.line:>6} | "
        code, caret = _window(diagnostic.snippet, diagnostic.place.column)
        lines += [f"{number}{code}", f"{'| ':>{len(number)}}{caret}"]
    if diagnostic.hint:
        lines.append(f"       hint: {diagnostic.hint}")
    lines += [f"       {related.note}: {related.place}" for related in diagnostic.related[:_MAX_RELATED]]
    if more := diagnostic.related[_MAX_RELATED:]:
        lines.append(f"       and {len(more)} more places")
    return "\n".join(lines)


def document(diagnostics: Iterable[Diagnostic]) -> dict[str, Any]:
    """The same for programs: `validate --json` prints this."""
    found = [
        {**msgspec.to_builtins(diagnostic), **msgspec.to_builtins(diagnostic.place)} for diagnostic in diagnostics
    ]
    errors = sum(entry["severity"] == Severity.ERROR for entry in found)
    for entry in found:
        del entry["place"]
    return {"ok": not errors, "errors": errors, "warnings": len(found) - errors, "diagnostics": found}


def _window(line: str, column: int) -> tuple[str, str]:
    """A printable part of a line around a column, and the caret below it."""
    start = max(0, column - _SHOWN_WIDTH // 2) if len(line) > _SHOWN_WIDTH else 0
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
    caret = min(column - 1, len(line)) - start
    return shown[start : start + _SHOWN_WIDTH], " " * caret + "^"
