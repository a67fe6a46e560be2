"""Which bots a verb means: selected ones, or all of them when that is said."""

from __future__ import annotations

from collections.abc import Sequence

from engine.control.fleet import Fleet
from engine.control.lifecycle import applied_names
from engine.errors import UsageError


def chosen(
    fleet: Fleet, names: Sequence[str] | None, everything: bool, exclude: Sequence[str] | None = None
) -> list[str]:
    """The bots selected; an empty list stands for all, and only `--all` gives it."""
    if names and everything:
        raise UsageError(
            "bots are named, and --all is said", hint="leave out one; `--all --exclude NAME` is all but some"
        )
    if not names and not everything:
        raise UsageError("name the bots, or say --all", hint="`botctl status` lists them")
    return list(applied_names(fleet, names or (), exclude)) if names or exclude else []
