"""`botctl apply`: shows the plan, asks, and makes it true."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.commands.consent import asked, show
from engine.commands.options import Directory, Env, Why, Yes, tell
from engine.control.apply import apply
from engine.control.desired import resolve_desired
from engine.control.fleet import open_fleet
from engine.control.generations import Deed
from engine.control.observe import observe
from engine.plan.diff import diff


def command(
    directory: Directory = None,
    env: Env = None,
    yes: Yes = False,
    why: Why = "",
    accept: Annotated[
        str, typer.Option("--accept", metavar="RISK,…", help="risks that --yes does not cover: env, mainnet")
    ] = "",
) -> None:
    """Make the running fleet what its files say, through supervisor."""
    fleet = open_fleet(directory, verb="apply", progress=tell)
    desired = resolve_desired(fleet.workspace, tell, env)
    agree = show if yes else asked(diff(desired, observe(fleet)), "Apply this plan?")
    risks = {risk.strip() for risk in accept.split(",") if risk}
    done = apply(fleet, desired, agree, accepted=risks, deed=Deed(why=why))
    if done.changes:
        print(f"applied: {len(done.changes)} done")
