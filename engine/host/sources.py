"""Reads the files that declare a fleet: bots/*.yaml, templates/*.yaml and envs/*/*.yaml, as text by relative path.

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

MAX_TOTAL_BYTES = 64 << 20
"""The most that all files together may hold: ten thousand bots need a tenth of it."""

SUFFIXES = (".yaml", ".yml")


def read_sources(workspace: Workspace) -> dict[str, str]:
    """The texts of a workspace, by path from its root. Hidden and backup files are left alone.

    Raises ConfigInvalid for what cannot be read as part of this workspace: a link that leads out of it, a
    device, a file without permission, a file in a folder where nobody would look for it, more than fits in memory.
    """
    root = workspace.declared.resolve()
    texts, total = {}, 0
    for path in _paths(workspace):
        text = _read(path, root)
        total += len(text)
        if total > MAX_TOTAL_BYTES:
            raise ConfigInvalid(f"the files of {workspace.declared} hold more than {MAX_TOTAL_BYTES >> 20} MiB")
        texts[str(path.relative_to(workspace.declared))] = text
    return texts


def _paths(workspace: Workspace) -> Iterator[Path]:
    yield from _files(workspace.bots)
    yield from _files(workspace.templates)
    for env in _entries(workspace.envs):
        if env.is_dir():
            yield from _files(env)
        elif env.suffix in SUFFIXES:
            name = f"{workspace.envs.name}/{env.stem}/"
            raise ConfigInvalid(
                f"{env} belongs to no environment: each is a folder of files that lie over those of bots/",
                hint=f"move it to {name}fleet.yaml, or to {name} under the name of the bot file it changes",
            )


def _files(folder: Path) -> Iterator[Path]:
    """The YAML files directly in a folder."""
    for path in _entries(folder):
        if path.is_dir():
            _refuse_nested(folder, path)
        elif path.suffix in SUFFIXES:
            yield path


def _entries(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in sorted(folder.iterdir()) if not path.name.startswith((".", "#")))


def _refuse_nested(folder: Path, path: Path) -> None:
    if folder.name != "templates" and any(inner.suffix in SUFFIXES for inner in path.iterdir()):
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
