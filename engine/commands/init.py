"""`botctl init`: a workspace that runs as it is, on simulated venues: the sample fleet, templates and schemas."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Annotated

import typer

from engine.commands.automation import install
from engine.commands.schema import write_schemas
from engine.errors import ConfigInvalid, Refused
from engine.exchanges.interface import SelfCheckingVenue
from engine.exchanges.registry import find_venue
from engine.resources import resource
from engine.spec.facts import no_facts
from engine.spec.load import load_fleet

_SAMPLE_ID = "id: sample\n"
_NEXT = """A fleet of {bots} bots on simulated venues is in {root}.

{enter}  botctl validate     check its files
  botctl plan         see what would happen
  botctl apply        start it
  botctl status       see it trade

Change a file in bots/, then plan and apply again."""


def command(
    directory: Annotated[Path, typer.Argument(help="where to make it", metavar="[DIR]")] = Path(),
    hook: Annotated[
        bool, typer.Option("--hook", help="only: let git validate the fleet of DIR before every commit")
    ] = False,
    ci: Annotated[
        bool, typer.Option("--ci", help="only: a GitHub workflow that shows the plan on every pull request")
    ] = False,
) -> int:
    """Make a workspace: bots/, templates/, schemas/, .env.example and .gitignore. Never overwrites a file."""
    root = directory.absolute()
    if hook or ci:
        for place in install(root, hook=hook, ci=ci):
            print(f"wrote {place}")
        return 0
    files = _files(root)
    taken = [name for name in files if (root / name).exists()]
    if taken:
        raise Refused(f"{root} already has {', '.join(taken)}", hint="choose an empty folder: botctl init DIR")
    lacking = _lacking(files)
    for name, text in files.items():
        if name not in lacking:
            _write(root / name, text)
    write_schemas(root / "schemas")
    enter = "" if root == Path.cwd() else f"  cd {directory}\n"
    bots = sum(name.startswith("bots/") for name in files) - len(lacking) - 1
    print(_NEXT.format(bots=bots, root=root, enter=enter))
    for name, why in lacking.items():
        print(f"\nWithout {name}: {why}")
    _ignore_state(root)
    return 0


def _files(root: Path) -> dict[str, str]:
    """The files of the new workspace that must not be there yet, by their path in it."""
    files = {
        f"{folder}/{path.name}": path.read_text(encoding="utf-8")
        for folder in ("bots", "templates")
        for path in sorted(resource(folder).glob("*.yaml"))
    }
    files["bots/fleet.yaml"] = files["bots/fleet.yaml"].replace(_SAMPLE_ID, f"id: {_fleet_id(root.name)}\n")
    files[".env.example"] = _starter("env.example")
    return files


def _lacking(files: dict[str, str]) -> dict[str, str]:
    """The bots whose venue cannot be used here, because what it signs with is not installed; and what to do."""
    reasons = {}
    for bot in load_fleet(files, environment={}, facts=no_facts).bots.values():
        try:
            for leg in bot.spec.legs.values():
                venue = find_venue(leg.venue)
                if isinstance(venue, SelfCheckingVenue):
                    venue.self_check()
        except ConfigInvalid as missing:
            reasons[bot.file] = f"{missing.message}; {missing.hint}"
    return reasons


def _ignore_state(root: Path) -> None:
    """A .gitignore of its own; a fresh clone often has one, which stays the person's."""
    if (root / ".gitignore").exists():
        print("\nBefore you commit: add .botctl/ and .env to your .gitignore.")
    else:
        _write(root / ".gitignore", _starter("gitignore"))


def _starter(name: str) -> str:
    return resource("templates", "starters", name).read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _fleet_id(folder: str) -> str:
    """A fleet id from a folder's name: two fleets on one host need two ids."""
    plain = unicodedata.normalize("NFKD", folder.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].rstrip("-") or "fleet"
