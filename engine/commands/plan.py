"""`botctl plan`: what apply would do. Reads, compares, prints or saves; it has nothing to act with."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from engine.commands.options import (
    HOUR_S,
    Directory,
    Env,
    Exclude,
    Expires,
    Json,
    Names,
    Out,
    Tolerance,
    tell,
)
from engine.commands.show import show
from engine.control.committed import workspace_at
from engine.control.desired import resolve_desired
from engine.control.fleet import View, open_view
from engine.control.in_force import rollback_in_force
from engine.control.keys import key_words, missing_keys
from engine.control.observe import observe
from engine.control.plan_file import SUFFIX, require_folder, require_plan_name, write_plan
from engine.control.planning import make_plan
from engine.control.policy import with_findings
from engine.control.risks import find_risks
from engine.errors import UsageError
from engine.plan.actions import Plan
from engine.plan.document import plan_document
from engine.plan.observed import Observed
from engine.plan.render import Density
from engine.plan.selection import selection
from engine.plan.settled import as_if_applied

DIFFERENCES = 2


def command(
    names: Names = None,
    directory: Directory = None,
    exclude: Exclude = None,
    env: Env = None,
    as_json: Json = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="exit with 2 when there is something to do")
    ] = False,
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="REF", help="as if what git has at REF were running, e.g. origin/main"),
    ] = None,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="every setting that changes")] = False,
    full: Annotated[bool, typer.Option("--full", help="also what stays as it is, and all that is known")] = False,
    out: Out = None,
    expires_s: Expires = HOUR_S,
    tolerance_pct: Tolerance = 10,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="write a report of one page")] = None,
) -> int:
    """Show what `botctl apply` would do, and why. Changes nothing."""
    if out is not None:
        require_plan_name(out)
    if html is not None:
        require_folder(html)
    if out is not None and against is not None:
        raise UsageError("a plan against what does not run cannot be applied", hint="leave out -o, or --against")
    if saved := next((name for name in names or () if name.endswith(SUFFIX)), None):
        raise UsageError("a saved plan is not planned again", hint=f"botctl apply {saved}, or -o {saved}")
    view = open_view(directory, verb="plan")
    desired = resolve_desired(view.workspace, tell, env)
    observed = observe(view) if against is None else _observed_at(view, against, env)
    planned = with_findings(view.workspace, make_plan(desired, observed, selection(names, exclude)), observed)
    if planned.plan.changes and (rollback := rollback_in_force(view.workspace)):
        tell(f"{rollback}; this is what the files still say otherwise")
    _print(planned.plan, as_json, Density.FULL if full else Density.FIELDS if verbose else Density.LINES)
    for words in key_words(view.workspace, observed):
        tell(words)
    for missing in missing_keys(view.workspace, planned.plan, planned.desired) if against is None else ():
        tell(f"apply will refuse: {missing.message}")
    for one in find_risks(view.workspace, planned.plan, planned.desired, observed):
        tell(f"apply wants --accept {one.risk}: {one.why}")
    if out is not None:
        write_plan(out, planned, expires_s=expires_s, tolerance_pct=Decimal(str(tolerance_pct)))
        tell(f"saved: botctl apply {out}")
    if html is not None:
        _write_report(html, planned.plan)
    return DIFFERENCES if detailed_exitcode and planned.plan.changes else 0


def _observed_at(view: View, revision: str, env: str | None) -> Observed:
    with workspace_at(view.workspace, revision) as before:
        return as_if_applied(resolve_desired(before, lambda _line: None, env))


def _print(plan: Plan, as_json: bool, density: Density) -> None:
    if as_json:
        print(json.dumps(plan_document(plan), indent=2, ensure_ascii=False))
    else:
        show(plan, density=density)


def _write_report(file: Path, plan: Plan) -> None:
    from engine.commands.report import render_report  # a template engine to load, which few plans need

    file.write_text(render_report(plan), encoding="utf-8")
    tell(f"report: {file}")
