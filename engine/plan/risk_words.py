"""The words of `--accept RISK,…`: each takes a risk that `--yes` does not answer. They stand only here."""

from __future__ import annotations

from difflib import get_close_matches
from enum import StrEnum

from engine.errors import UsageError


class RiskWord(StrEnum):
    MAINNET = "mainnet"
    """An account trades real money for the first time from here."""
    ENV = "env"
    """Another environment was applied last."""
    PROTECTED = "protected"
    """A bot with protected: true is retired, destroyed or replaced, or a rollback drops that."""
    FLATTEN = "flatten"
    """A position is taken out of the market at once, as its bot's stop policy says."""
    EMPTY = "empty"
    """No bot is declared any more, and all that were applied are retired."""
    FREEZE = "freeze"
    """Something is changed in a freeze window, or around a funding."""
    BLAST_RADIUS = "blast-radius"
    """More is changed or stopped at once than rollout allows."""


def parse_risks(text: str) -> frozenset[RiskWord]:
    """The words after `--accept`; UsageError for one that names no risk."""
    words = [word for part in text.split(",") if (word := part.strip())]
    for word in words:
        if word not in set(RiskWord):
            close = get_close_matches(word, list(RiskWord), n=1)
            known = f"known are: {', '.join(RiskWord)}"
            raise UsageError(f"no risk is called {word!r}", hint=f"did you mean {close[0]}?" if close else known)
    return frozenset(RiskWord(word) for word in words)
