"""Reads the files that declare a fleet: bots/*.yaml and templates/*.yaml, as text by relative path.

Only reading happens here; what the text means is `engine.spec.load`'s business. Bytes that are no UTF-8 are
carried along as lone surrogates, so that the loader can point at each with its line and column.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from engine.errors import ConfigInvalid
from engine.host.workspace import Workspace
from engine.spec.document import MAX_FILE_BYTES

_SUFFIXES = (".yaml", ".yml")


def read_sources(workspace: Workspace) -> dict[str, str]:
    """The texts of a workspace, by path from its root. Hidden and backup files are left alone.

    Raises ConfigInvalid for what cannot be read as part of this workspace: a link that leads out of it, a
    device, a file without permission, a bot file in a subfolder where nobody would look for it.
    """
    root = workspace.root.resolve()
    folders = (workspace.bots, workspace.templates)
    return {
        str(path.relative_to(workspace.root)): _read(path, root) for folder in folders for path in _files(folder)
    }


def _files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "#")):
            continue
        if path.is_dir():
            _refuse_nested(folder, path)
        elif path.suffix in _SUFFIXES:
            yield path


def _refuse_nested(folder: Path, path: Path) -> None:
    if folder.name == "bots" and any(inner.suffix in _SUFFIXES for inner in path.iterdir()):
        raise ConfigInvalid(
            f"{path} holds bot files, but only the files directly in {folder} are read",
            hint="move them up, or rename the folder to start with a dot to have it ignored",
        )


def _read(path: Path, root: Path) -> str:
    try:
        target = path.resolve(strict=True)
        if not target.is_relative_to(root):
            raise ConfigInvalid(
                f"{path} is a link out of the workspace, to {target}",
                hint="copy the file into the workspace: what is applied must be under its control",
            )
        if not stat.S_ISREG(target.stat().st_mode):
            raise ConfigInvalid(f"{path} is not a regular file")
        with target.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        reason = error.strerror if isinstance(error, OSError) else "its links lead in a circle"
        raise ConfigInvalid(f"{path} cannot be read: {reason}") from error
    return content.decode("utf-8", "surrogateescape")
