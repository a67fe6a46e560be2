"""`botctl rollback`: an earlier generation, made true again through the same plan and the same apply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from engine.commands.consent import asked
from engine.commands.options import Accept, Directory, Override, Why, Yes, tell
from engine.commands.show import show
from engine.control.apply import apply
from engine.control.desired import desired_again, resolve_desired
from engine.control.fleet import Fleet, open_fleet
from engine.control.generations import Deed
from engine.control.history import find_generation, last_good
from engine.control.lifecycle import applied_generation
from engine.control.observe import observe
from engine.control.policy import judged
from engine.errors import ConfigInvalid
from engine.host.generation import Generation, current_number
from engine.plan.actions import Plan
from engine.plan.desired import Desired
from engine.plan.diff import diff
from engine.plan.policy_facts import Warrant
from engine.plan.render import summary
from engine.plan.risk_words import parse_risks

POSITIONS = (
    "positions do not roll back: what was bought and sold since stays bought and sold, and every bot goes on from "
    "the position it has"
)


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
) -> None:
    """Plan and apply the settings of an earlier generation, as a new one. Files in bots/ are left alone."""
    accepted = parse_risks(accept)
    fleet = open_fleet(directory, verb="rollback", progress=tell)
    target = find_generation(fleet.workspace, last_good(fleet.workspace) if number is None else number)
    desired = desired_again(target, applied_generation(fleet).fleet.policy)
    print(f"{_headline(target)}\n{POSITIONS}")
    warrant = Warrant(overrides=tuple(override or ()), is_again=True)
    deed = Deed(verb="rollback", why=why, came_from=target.number, warrant=warrant)
    agree = show if yes else _asked(fleet, desired, warrant)
    before = current_number(fleet.workspace)
    apply(fleet, desired, agree, accepted=accepted, deed=deed)
    after = current_number(fleet.workspace)
    if after == before:
        print(f"generation {after} says the same already; nothing was written")
    else:
        print(f"rolled back: generation {after} has the settings of {target.number}")
    print(_beside_the_files(fleet))


def _asked(fleet: Fleet, desired: Desired, warrant: Warrant) -> Callable[[Plan], None]:
    observed = observe(fleet)
    plan = judged(fleet.workspace, diff(desired, observed), desired, observed, warrant)
    return asked(plan, "Apply this plan?", overrides=warrant.overrides)


def _headline(target: Generation) -> str:
    meta = target.meta
    return f"back to generation {meta.number} of {meta.created_at}, by {meta.who}" + (
        f": {meta.words}" if meta.words else ""
    )


def _beside_the_files(fleet: Fleet) -> str:
    """What the next `apply` would make of it: a rollback changes what runs, never what is declared."""
    try:
        plan = diff(resolve_desired(fleet.workspace, tell), observe(fleet))
    except ConfigInvalid:
        return "the files in bots/ cannot be applied as they are: `botctl validate` says why"
    if not plan.changes:
        return "the files in bots/ say the same"
    return (
        f"the files in bots/ still say otherwise ({summary(plan)}): `botctl plan` shows it, and the next "
        "`botctl apply` undoes this rollback; change the files too"
    )
