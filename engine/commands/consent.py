"""Asks a person about a plan. `apply` and `destroy` do nothing but what was agreed to here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection

import typer

from engine.commands.show import show
from engine.control.apply import as_shown, require_plannable
from engine.errors import Refused
from engine.plan.actions import Plan
from engine.plan.upholding import require_upheld


def asked(
    plan: Plan, question: str, *, look: Callable[[Plan], None] = show, overrides: Collection[str] = ()
) -> Callable[[Plan], None]:
    """Show a plan and wait for a yes; agrees afterwards to this plan only. Refused without a yes or a person, for
    one who could not see the plan, and before anybody is asked, by the policy."""
    look(plan)
    require_plannable(plan)
    require_upheld(plan, overrides)
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
