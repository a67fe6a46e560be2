"""Which bots a verb means: named ones, or all of them when that is said."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import UsageError


def chosen(names: Sequence[str] | None, everything: bool) -> list[str]:
    """The names given; an empty list stands for all bots, and only `--all` gives it."""
    if bool(names) == everything:
        raise UsageError("name the bots, or say --all", hint="`botctl status` lists them")
    return list(names or ())
