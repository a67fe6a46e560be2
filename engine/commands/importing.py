"""`botctl import`: bots of the earlier program, in its two JSON forms, as YAML of this one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.commands.options import read_settings
from engine.control.importing import Choices, prepare_import, write_import
from engine.errors import UsageError
from engine.host.workspace import Workspace, find_workspace
from engine.spec.diagnostics import render
from engine.spec.legacy.convert import Imported
from engine.spec.legacy.intake import Fate
from engine.spec.types import Environment

DIFFERENCES = 2


def command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE.json…", help="single-file or four-section JSON")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="bots/", help="the folder bots/ to write to")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what would be written, write nothing")] = False,
    account: Annotated[str | None, typer.Option(help="the account of fleet.yaml the bots trade on")] = None,
    name: Annotated[str | None, typer.Option(help="what the bot is called here, for one file")] = None,
    environment: Annotated[
        Environment, typer.Option(help="of accounts in a fleet.yaml that is made new")
    ] = Environment.SIM,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="a setting the files do not have")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="tell what became of every setting")] = False,
    directory: Annotated[Path | None, typer.Option("-C", "--directory", help="the workspace")] = None,
) -> int:
    """Write a bot file for each JSON file, and say what of it has no place here. Overwrites nothing."""
    if name and len(files) > 1:
        raise UsageError("--name is for one file")
    workspace = _workspace(out, directory)
    chosen = read_settings(settings or [], example="strategy.order_size=0.1")
    choices = Choices(account=account, name=name, environment=environment, settings=chosen)
    ready = prepare_import(workspace, files, choices)
    if not dry_run:
        write_import(workspace, ready)
    for path, text in ready.texts.items():
        print(f"{path}: {'would be written' if dry_run else 'written'}")
        if dry_run:
            print("".join(f"    {line}".rstrip() + "\n" for line in text.splitlines()), end="")
    for file, bot in ready.bots.items():
        print(f"\n{_report(file, bot, verbose=verbose)}")
    for warning in ready.warnings:
        print(f"\n{render(warning)}")
    return 0 if all(bot.is_whole for bot in ready.bots.values()) else DIFFERENCES


def _workspace(out: Path | None, directory: Path | None) -> Workspace:
    """The folder above `out`; else the workspace as always; else, for a first import, where one stands."""
    if out is not None:
        if out.resolve().name != "bots":
            raise UsageError(f"{out} is no folder called bots", hint="-o DIR/bots")
        return Workspace(root=out.resolve().parent)
    try:
        return find_workspace(directory)
    except UsageError:
        return Workspace(root=(directory or Path()).resolve())


def _report(file: Path, bot: Imported, *, verbose: bool) -> str:
    """What became of the settings: the worst last, where it is seen."""
    counts = {fate: sum(remark.fate is fate for remark in bot.remarks) for fate in Fate}
    quiet = () if verbose else (Fate.CARRIED, Fate.NOT_NEEDED)
    lines = [f"{file} as {bot.name}: {', '.join(f'{count} {fate}' for fate, count in counts.items() if count)}"]
    for fate in Fate:
        if fate not in quiet:
            lines += [f"  {fate:<11}  {one.path}: {one.words}" for one in bot.remarks if one.fate is fate]
    return "\n".join(lines)
