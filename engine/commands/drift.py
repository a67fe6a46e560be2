"""`botctl drift`: looks for what is not as it was left; `drift adopt | revert | ignore | unignore` says what
becomes of it."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.commands.drift_look import Looking, look_and_show
from engine.commands.drift_settle import settle_findings, unignore
from engine.commands.options import SELECTORS, Directory, Env, Exclude, Json, Why, Yes, tell
from engine.control.drift.settling import Said
from engine.control.fleet import open_fleet, open_view
from engine.errors import UsageError
from engine.plan.drift.findings import Way

UNIGNORE = "unignore"


def command(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SELECTOR]… | adopt|revert|ignore|unignore ID…",
            help=f"bots to look at: {SELECTORS}; or what becomes of findings",
            show_default=False,
        ),
    ] = None,
    directory: Directory = None,
    exclude: Exclude = None,
    env: Env = None,
    as_json: Json = False,
    detailed_exitcode: Annotated[  # noqa: ARG001 - scripts say to drift what they say to plan
        bool, typer.Option("--detailed-exitcode", help="as plan has it; findings end with 2 in any case")
    ] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="what each way would do")] = False,
    everything: Annotated[bool, typer.Option("--all", help="also what is ignored, with who and why")] = False,
    price: Annotated[str | None, typer.Option(help="what position is adopted at; else the venue's entry")] = None,
    yes: Yes = False,
    why: Why = "",
) -> int:
    """Hold files, what was applied, what runs and the venues against each other. Looking changes nothing."""
    first, *rest = words or [""]
    if first not in {*Way, UNIGNORE}:
        looking = Looking(selectors=tuple(words or ()), excluded=tuple(exclude or ()), env=env)
        view = open_view(directory, verb="drift")
        return look_and_show(view, looking, as_json=as_json, everything=everything, ways=verbose)
    if not rest:
        raise UsageError(f"{first} which finding?", hint="`botctl drift --all` lists them with their ids")
    fleet = open_fleet(directory, verb="drift", progress=tell)
    if first == UNIGNORE:
        return unignore(fleet, rest, why=why, yes=yes)
    return settle_findings(fleet, rest, Said(way=Way(first), why=why, price=price), env=env, yes=yes)
