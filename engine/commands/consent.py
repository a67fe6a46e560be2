"""Asks a person about a plan. `apply` and `destroy` do nothing but what was agreed to here."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

from engine.commands.show import show
from engine.control.apply import as_shown
from engine.errors import Refused
from engine.plan.actions import Plan


def asked(
    plan: Plan, question: str, *, require: Callable[[Plan], None], look: Callable[[Plan], None] = show
) -> Callable[[Plan], None]:
    """Show a plan and wait for a yes; agrees afterwards to this plan only. Refused without a yes or a person, for
    one who could not see the plan, and by `require`, before anybody is asked."""
    look(plan)
    require(plan)
    _ask(plan, question, can_see=look is show)
    return as_shown(plan)


def confirmed(plan: Plan, question: str) -> None:
    """Show a plan and wait for a yes, when nothing is going to be done about it."""
    show(plan)
    _ask(plan, question, can_see=True)


def _ask(plan: Plan, question: str, *, can_see: bool) -> None:
    if plan.changes:
        confirm(question, can_see=can_see)


def confirm(question: str, *, can_see: bool = True) -> None:
    """Wait for a yes; Refused without one, and without a person who could say it."""
    if not sys.stdin.isatty() or not can_see:
        raise Refused(
            "nobody can be asked here: this is no terminal, or --json was said",
            hint="add --yes if that is what you want",
        )
    if not typer.confirm(question, err=True):
        raise Refused("declined", hint="nothing was changed")
