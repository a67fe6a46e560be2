"""`botctl approve`: a second pair of eyes on a saved plan, for policies that ask for one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.commands.consent import confirmed
from engine.commands.going_back import back_to
from engine.commands.options import Directory, Why, Yes, tell
from engine.commands.show import show
from engine.control.approvals import approve
from engine.control.fleet import Fleet, open_fleet
from engine.control.observe import observe
from engine.control.plan_file import SUFFIX, read_plan
from engine.errors import StalePlan, UsageError
from engine.plan.diff import diff
from engine.plan.saved import SavedPlan


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE.botplan", help="a plan of `botctl plan -o`")],
    directory: Directory = None,
    yes: Yes = False,
    why: Why = "",
) -> None:
    """Show a saved plan and note that you approve it. Changes nothing of the fleet."""
    if file.suffix != SUFFIX:
        raise UsageError(f"{file} is no saved plan", hint=f"botctl plan -o FILE{SUFFIX}, then botctl approve it")
    fleet = open_fleet(directory, verb="approve")
    saved = read_plan(file, fleet)
    if saved.came_from is not None:
        print(back_to(saved.came_from))
    if stale := _stale(fleet, saved):
        tell(f"warning: {stale.message}; `botctl apply {file}` would refuse it\nhint: {stale.hint}")
    if yes:
        show(saved.plan)
    else:
        confirmed(saved.plan, "Approve this plan?")
    fleet.workspace.prepare()
    approvals = approve(fleet.workspace, saved.digest, why)
    names = ", ".join(approval.who for approval in approvals)
    print(f"approved by {names}: botctl apply {file}")


def _stale(fleet: Fleet, saved: SavedPlan) -> StalePlan | None:
    """Why the present asks for something else by now. A warning only: it may ask for just this again until somebody
    applies it, and what cannot be seen at this moment is looked at then."""
    now = diff(saved.desired, observe(fleet)).only(saved.only)
    try:
        if not now.trouble:
            saved.require_same(now)
    except StalePlan as stale:
        return stale
    return None
