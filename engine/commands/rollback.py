"""`botctl rollback`: an earlier generation, made true again through the same plan and the same apply."""

from __future__ import annotations

from collections.abc import Callable, Collection
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from engine.commands.consent import asked
from engine.commands.going_back import back_to, beside_the_files
from engine.commands.options import (
    HOUR_S,
    Accept,
    Directory,
    Expires,
    Out,
    Override,
    Tolerance,
    Why,
    Yes,
    tell,
)
from engine.commands.show import show
from engine.control.apply import apply, require_allowed
from engine.control.desired import desired_again
from engine.control.fleet import Fleet, open_fleet
from engine.control.generations import Deed
from engine.control.history import find_generation, last_good
from engine.control.lifecycle import applied_generation
from engine.control.observe import observe
from engine.control.plan_file import require_plan_name, write_plan
from engine.control.planning import Planned
from engine.control.policy import judged
from engine.control.risks import find_risks
from engine.host.generation import Generation, current_number
from engine.plan.actions import Plan
from engine.plan.desired import Desired
from engine.plan.diff import diff
from engine.plan.observed import Observed
from engine.plan.policy_facts import Warrant
from engine.plan.risk_words import parse_risks


def command(
    number: Annotated[
        int | None,
        typer.Argument(
            metavar="[GEN]", help="a generation; else the last one that was applied well", show_default=False
        ),
    ] = None,
    directory: Directory = None,
    yes: Yes = False,
    why: Why = "",
    override: Override = None,
    accept: Accept = "",
    out: Out = None,
    expires_s: Expires = HOUR_S,
    tolerance_pct: Tolerance = 10,
) -> None:
    """Plan and apply the settings of an earlier generation, as a new one. Files in bots/ are left alone."""
    accepted = parse_risks(accept)
    if out is not None:
        require_plan_name(out)
    fleet = open_fleet(directory, verb="rollback", progress=tell)
    target = find_generation(fleet.workspace, last_good(fleet.workspace) if number is None else number)
    desired = desired_again(target, applied_generation(fleet).fleet.policy)
    print(back_to(target.number, _about(target)))
    warrant = Warrant(overrides=tuple(override or ()), is_again=True)
    if out is not None:
        _save(fleet, target.number, desired, out, expires_s, tolerance_pct)
        return
    agree = show if yes else _asked(fleet, desired, warrant, accepted)
    before = current_number(fleet.workspace)
    deed = Deed(verb="rollback", why=why, came_from=target.number, warrant=warrant)
    apply(fleet, desired, agree, accepted=accepted, deed=deed)
    after = current_number(fleet.workspace)
    if after == before:
        print(f"generation {after} says the same already; nothing was written")
    else:
        print(f"rolled back: generation {after} has the settings of {target.number}")
    print(beside_the_files(fleet))


def _asked(fleet: Fleet, desired: Desired, warrant: Warrant, accepted: Collection[str]) -> Callable[[Plan], None]:
    observed = observe(fleet)
    require = require_allowed(fleet, desired, observed, accepted=accepted, overrides=warrant.overrides)
    return asked(_planned(fleet, desired, observed, warrant).plan, "Apply this plan?", require=require)


def _planned(fleet: Fleet, desired: Desired, observed: Observed, warrant: Warrant) -> Planned:
    plan = judged(fleet.workspace, diff(desired, observed), desired, observed, warrant)
    return Planned(plan=plan, desired=desired)


def _save(fleet: Fleet, number: int, desired: Desired, out: Path, expires_s: float, tolerance_pct: float) -> None:
    """For somebody else to approve, and for `apply` to carry out as the rollback it is."""
    observed = observe(fleet)
    planned = _planned(fleet, desired, observed, Warrant(is_again=True))
    show(planned.plan)
    for one in find_risks(fleet.workspace, planned.plan, desired, observed):
        tell(f"apply wants --accept {one.risk}: {one.why}")
    tolerance = Decimal(str(tolerance_pct))
    write_plan(out, planned, expires_s=expires_s, tolerance_pct=tolerance, came_from=number)
    tell(f"saved: botctl apply {out}")


def _about(target: Generation) -> str:
    meta = target.meta
    return f" of {meta.created_at}, by {meta.who}" + (f": {meta.words}" if meta.words else "")
