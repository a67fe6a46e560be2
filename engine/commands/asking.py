"""Questions on a terminal: a choice among names, with the nearest one on a slip, and plain values."""

from __future__ import annotations

from collections.abc import Callable, Collection

import typer

from engine.commands.options import tell
from engine.errors import UsageError
from engine.spec.diagnostics import nearest

TRIES = 20
"""Whoever answers wrongly so often is no person."""
SHOWN = 12


class Asker:
    """Asks where somebody can be asked; elsewhere what was not said has its only answer, or is missing."""

    def __init__(self, *, can_ask: bool) -> None:
        self.can_ask = can_ask

    def choose(self, what: str, flag: str, said: str | None, known: Collection[str], first: str = "") -> str:
        """One of the known names. What was said with its flag must be one; UsageError names the nearest."""
        if said is not None:
            if said not in known:
                raise UsageError(f"{flag} {said}: no such {what}", hint=nearest(said, known))
            return said
        if not self.can_ask:
            return self._only(what, flag, known)

        def fits(answer: str) -> str:
            return "" if answer in known else f"no such {what}; {nearest(answer, known)}"

        shown = f"{what} ({', '.join(sorted(known))})" if len(known) <= SHOWN else what
        return self.ask(shown, first or (next(iter(known)) if len(known) == 1 else ""), fits)

    def ask(self, question: str, first: str, wrong: Callable[[str], str] = lambda _answer: "") -> str:
        """An answer with which nothing is wrong; `first` where nobody can be asked."""
        if not self.can_ask:
            return first
        for _ in range(TRIES):
            answer: str = typer.prompt(question, default=first or None, err=True).strip()
            if not (words := wrong(answer)):
                return answer
            tell(f"  {words}")
        raise UsageError("no answer that fits")

    def agrees(self, question: str) -> bool:
        """Whether somebody says yes; nobody who could be asked has said so with a flag."""
        return not self.can_ask or typer.confirm(question, default=True, err=True)

    def _only(self, what: str, flag: str, known: Collection[str]) -> str:
        if len(known) == 1:
            return next(iter(known))
        raise UsageError(f"which {what}? {flag} is missing, and nobody can be asked", hint=nearest("", known))
