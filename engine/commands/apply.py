"""`botctl apply`: shows the plan, asks, and makes it true."""

from __future__ import annotations

from engine.commands.consent import asked, show
from engine.commands.options import Accept, Directory, Env, Why, Yes, tell
from engine.control.apply import apply
from engine.control.desired import resolve_desired
from engine.control.fleet import open_fleet
from engine.control.generations import Deed
from engine.control.observe import observe
from engine.plan.diff import diff
from engine.plan.risk_words import parse_risks


def command(
    directory: Directory = None,
    env: Env = None,
    yes: Yes = False,
    why: Why = "",
    accept: Accept = "",
) -> None:
    """Make the running fleet what its files say, through supervisor."""
    accepted = parse_risks(accept)
    fleet = open_fleet(directory, verb="apply", progress=tell)
    desired = resolve_desired(fleet.workspace, tell, env)
    agree = show if yes else asked(diff(desired, observe(fleet)), "Apply this plan?")
    done = apply(fleet, desired, agree, accepted=accepted, deed=Deed(why=why))
    if done.changes:
        print(f"applied: {len(done.changes)} done")
