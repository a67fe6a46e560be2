"""`botctl diff`: what is different between two generations, setting by setting."""

from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec
import typer

from engine.commands.options import Directory, Json
from engine.control.desired import desired_of
from engine.control.fleet import open_fleet
from engine.control.history import find_generation
from engine.control.lifecycle import applied_generation
from engine.plan.actions import FieldChange
from engine.plan.compare import ADDED, CHANGED, REMOVED, Comparison, compare
from engine.plan.render import value_text

SYMBOLS = {ADDED: "+", REMOVED: "-", CHANGED: "~"}


def command(
    before: Annotated[int, typer.Argument(metavar="GEN", help="a generation's number", show_default=False)],
    after: Annotated[
        int | None, typer.Argument(metavar="[GEN]", help="another; else the one in force", show_default=False)
    ] = None,
    directory: Directory = None,
    as_json: Json = False,
) -> None:
    """Show what changed from one generation to another, bot by bot and field by field."""
    fleet = open_fleet(directory, verb="diff")
    old = find_generation(fleet.workspace, before)
    new = applied_generation(fleet) if after is None else find_generation(fleet.workspace, after)
    found = compare(desired_of(old), desired_of(new))
    if as_json:
        print(json.dumps(_document(old.number, new.number, found), indent=2, ensure_ascii=False))
        return
    print(f"generation {old.number} → {new.number}" + (": no difference" if found.is_empty else ""))
    print("\n".join(_lines(found)), end="" if found.is_empty else "\n")


def _lines(found: Comparison) -> list[str]:
    lines = ["  ~ the fleet", *map(_change, found.fleet)] if found.fleet else []
    for bot in found.bots:
        lines += [f"  {SYMBOLS[bot.what]} {bot.name}  {bot.what}", *map(_change, bot.changes)]
    return lines


def _change(change: FieldChange) -> str:
    return f"      {change.path}: {value_text(change.before)} → {value_text(change.after)}"


def _document(before: int, after: int, found: Comparison) -> dict[str, Any]:
    return {
        "before": before,
        "after": after,
        "fleet": [_plain(change) for change in found.fleet],
        "bots": [
            {"name": bot.name, "what": bot.what, "changes": [_plain(change) for change in bot.changes]}
            for bot in found.bots
        ],
    }


def _plain(change: FieldChange) -> dict[str, Any]:
    return {"path": change.path, **msgspec.to_builtins({"before": change.before, "after": change.after})}
