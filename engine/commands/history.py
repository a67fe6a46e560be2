"""`botctl history`: who applied what and when, how it ended, and which generation is in force."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import typer

from engine.commands.options import Directory, Json
from engine.commands.table import table
from engine.control.fleet import open_fleet
from engine.control.history import Past, history, past_of
from engine.host.generation import read_plan
from engine.plan.render import value_text

HEAD = ("GEN", "", "WHEN (UTC)", "WHO", "VERB", "WHAT", "RESULT")


def command(
    number: Annotated[
        int | None, typer.Argument(metavar="[GEN]", help="show the plan of this one", show_default=False)
    ] = None,
    directory: Directory = None,
    as_json: Json = False,
    count: Annotated[int, typer.Option("-n", "--lines", metavar="N", min=1, help="how many of the newest")] = 20,
) -> None:
    """Show what was applied so far, newest first. `*` marks the generation in force."""
    workspace = open_fleet(directory, verb="history").workspace
    if number is not None:
        _show_one(past_of(workspace, number), read_plan(workspace, number), as_json)
        return
    found = history(workspace, count)
    if as_json:
        _print_json([msgspec.to_builtins(past) for past in found])
    elif found:
        print("\n".join([table(HEAD, [_row(past) for past in found]), *filter(None, map(_note, found))]))
    else:
        print("nothing was applied here yet")


def _show_one(past: Past, plan: dict[str, Any] | None, as_json: bool) -> None:
    if as_json:
        _print_json({**msgspec.to_builtins(past), "plan": plan})
        return
    print(f"generation {past.number} of {past.started_at} by {past.who}: {_verb(past)}, {past.result}")
    told = (past.error, f"why: {past.why}" if past.why else "", *_overridden(past))
    print("\n".join(filter(None, (*told, *_plan_lines(plan)))))


def _overridden(past: Past) -> Iterator[str]:
    yield from (f"overridden: {words}" for words in past.overridden)


def _plan_lines(plan: dict[str, Any] | None) -> Iterator[str]:
    if plan is None:
        yield "its plan was not kept"
        return
    for action in plan["actions"]:
        subject = "" if action["subject"] == "bot" else f"{action['subject']} "
        yield f"  {action['kind']} {subject}{action['name']}: {action['reason']}"
        for change in action["changes"]:
            yield f"      {change['path']}: {value_text(change['before'])} → {value_text(change['after'])}"


def _print_json(document: object) -> None:
    print(json.dumps(document, indent=2, ensure_ascii=False))


def _row(past: Past) -> tuple[str, ...]:
    return (
        str(past.number),
        "*" if past.is_current else "",
        past.started_at[:19].replace("T", " ") or "-",
        past.who or "-",
        _verb(past),
        past.words or "-",
        past.result,
    )


def _verb(past: Past) -> str:
    verb = past.verb or "-"
    return verb if past.came_from is None else f"{verb} to {past.came_from}"


def _note(past: Past) -> str:
    """What a person wants to know of it beside the line; nothing for one that went well without a word."""
    told = [past.error, f"why: {past.why}" if past.why else "", *_overridden(past)]
    words = "; ".join(filter(None, told))
    return f"{past.number}: {words}" if words else ""
