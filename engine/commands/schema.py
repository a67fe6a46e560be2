"""`botctl schema`: the JSON Schemas of the files, for people to read and for editors to complete from."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from engine.commands.options import Directory
from engine.errors import UsageError
from engine.host.workspace import find_workspace
from engine.spec.schema import SUFFIX, schema_names, schema_text


def command(
    name: Annotated[
        str | None, typer.Argument(help="a schema to print; with --write, the folder to write to", metavar="[NAME]")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="write all schemas to the workspace's schemas/")] = False,
    directory: Directory = None,
) -> int:
    """Print one schema, list them all, or write them where editors find them."""
    if write:
        folder = Path(name) if name else find_workspace(directory).root / "schemas"
        write_schemas(folder)
        print(f"{len(schema_names())} schemas written to {folder}")
    elif name is None:
        print("\n".join(schema_names()))
    else:
        print(_text(name), end="")
    return 0


def write_schemas(folder: Path) -> None:
    """Every schema as a file below `folder`, where the first line of a bot file points editors to."""
    for name in schema_names():
        path = folder / f"{name}{SUFFIX}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(schema_text(name), encoding="utf-8")


def _text(name: str) -> str:
    wanted = name.removesuffix(SUFFIX)
    if wanted in schema_names():
        return schema_text(wanted)
    close = get_close_matches(wanted, schema_names(), n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(schema_names())}"
    raise UsageError(f"no schema {name!r}", hint=hint)
