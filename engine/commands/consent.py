"""Shows a plan and asks a person about it. `apply` and `destroy` do nothing but what was agreed to here."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import typer

from engine.control.apply import as_shown, require_plannable
from engine.errors import Refused
from engine.plan.actions import Plan
from engine.plan.render import render


def show(plan: Plan, *, verbose: bool = False) -> None:
    """Print a plan; with `--yes` this is all the consent there is."""
    print(render(plan, verbose=verbose, colour=_use_colour()), flush=True)


def asked(plan: Plan, question: str) -> Callable[[Plan], None]:
    """Show a plan and wait for a yes; agrees afterwards to this plan only. Refused without a yes or a person."""
    show(plan)
    require_plannable(plan)
    if plan.changes:
        confirm(question)
    return as_shown(plan)


def confirm(question: str) -> None:
    """Wait for a yes; Refused without one, or without a person who could say it."""
    if not sys.stdin.isatty():
        raise Refused("nobody can be asked here: this is no terminal", hint="add --yes if that is what you want")
    if not typer.confirm(question, err=True):
        raise Refused("declined", hint="nothing was changed")


def _use_colour() -> bool:
    """Only for a terminal that can, and only when nobody objects (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
