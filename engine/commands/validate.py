"""`botctl validate`: everything that is wrong with the fleet's files, at once. Reads only, asks no venue."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Annotated

import typer

from engine.commands.options import Directory, Env, Json
from engine.control.committed import workspace_staged
from engine.control.desired import load_workspace
from engine.control.policy import diagnostics
from engine.errors import ConfigInvalid, Refused
from engine.host.workspace import find_workspace
from engine.spec.diagnostics import Diagnostic, document, render
from engine.spec.load import Loaded


def command(
    directory: Directory = None,
    env: Env = None,
    as_json: Json = False,
    staged: Annotated[
        bool, typer.Option("--staged", help="the files as `git commit` would record them: for a hook")
    ] = False,
) -> int:
    """Check every file of the fleet. Exit code 3 when something must be corrected first, 5 when the fleet's own
    policy forbids what is right otherwise."""
    workspace = find_workspace(directory)
    with workspace_staged(workspace) if staged else nullcontext(workspace) as reading:
        loaded = load_workspace(reading, env)
    by_policy = diagnostics(loaded)
    found = (*loaded.diagnostics, *by_policy)
    if as_json:
        print(json.dumps(document(found), indent=2, ensure_ascii=False))
    else:
        for diagnostic in found:
            print(render(diagnostic), end="\n\n")
        print(_verdict(loaded, found))
    if loaded.has_errors:
        return ConfigInvalid.exit_code
    return Refused.exit_code if any(diagnostic.is_error for diagnostic in by_policy) else 0


def _verdict(loaded: Loaded, found: Sequence[Diagnostic]) -> str:
    errors = sum(diagnostic.is_error for diagnostic in found)
    warnings = len(found) - errors
    if errors:
        return f"{_count(errors, 'error')}, {_count(warnings, 'warning')}"
    accounts = len(loaded.fleet.accounts) if loaded.fleet else 0
    fine = f"{_count(len(loaded.bots), 'bot')} on {_count(accounts, 'account')}"
    return f"{fine}: no errors, {_count(warnings, 'warning')}" if warnings else f"{fine}: everything is fine"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"
