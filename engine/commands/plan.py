"""`botctl plan`: what apply would do. Reads, compares, prints; it has nothing to act with."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from engine.commands.consent import show
from engine.commands.options import Directory, Env, Json, tell
from engine.control.desired import resolve_desired
from engine.control.fleet import open_fleet
from engine.control.history import rollback_in_force
from engine.control.observe import observe
from engine.control.risks import find_risks
from engine.plan.diff import diff
from engine.plan.document import plan_document

DIFFERENCES = 2


def command(
    directory: Directory = None,
    env: Env = None,
    as_json: Json = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="exit with 2 when there is something to do")
    ] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="also show what stays as it is")] = False,
) -> int:
    """Show what `botctl apply` would do, and why. Changes nothing."""
    fleet = open_fleet(directory, verb="plan")
    desired = resolve_desired(fleet.workspace, tell, env)
    observed = observe(fleet)
    plan = diff(desired, observed)
    if plan.changes and (rollback := rollback_in_force(fleet.workspace)):
        tell(f"{rollback}; this is what the files still say otherwise")
    if as_json:
        print(json.dumps(plan_document(plan), indent=2, ensure_ascii=False))
    else:
        show(plan, verbose=verbose)
    for one in find_risks(fleet.workspace, plan, desired, observed):
        tell(f"apply wants --accept {one.risk}: {one.why}")
    return DIFFERENCES if detailed_exitcode and plan.changes else 0
