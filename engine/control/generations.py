"""Writes what was applied: immutable, numbered, and switched to in one step. `engine.host.generation` reads it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import msgspec

from engine import __version__
from engine.clock import iso_utc
from engine.control.fleet import caller
from engine.host.files import PRIVATE_DIRECTORY
from engine.host.generation import GenerationMeta
from engine.host.workspace import Workspace
from engine.plan.desired import Desired


def write_generation(workspace: Workspace, desired: Desired, *, conf: str) -> int:
    """Store the next generation whole, on disk for good, without switching to it; its number."""
    workspace.generations.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
    number = 1 + max((int(place.name) for place in workspace.generations.glob("[0-9]*")), default=0)
    draft = workspace.generations / f".draft-{number}"
    shutil.rmtree(draft, ignore_errors=True)
    (draft / "bots").mkdir(mode=PRIVATE_DIRECTORY, parents=True)
    for name, bot in desired.bots.items():
        _write(draft / "bots" / f"{name}.json", _document(bot.spec))
    _write(draft / "fleet.json", _document(desired.fleet))
    _write(draft / "supervisord.conf", conf.encode())
    _write(draft / "meta.json", _document(_meta(workspace, desired, number)))
    _sync_directory(draft / "bots")
    _sync_directory(draft)
    draft.rename(workspace.generations / str(number))
    _sync_directory(workspace.generations)
    return number


def switch_to(workspace: Workspace, number: int) -> None:
    """Make a generation the one that engines read; a crash leaves either the old or the new one."""
    link = workspace.state / ".current.new"
    link.unlink(missing_ok=True)
    link.symlink_to(Path(workspace.generations.name) / str(number))
    link.replace(workspace.current)
    _sync_directory(workspace.state)


def _meta(workspace: Workspace, desired: Desired, number: int) -> GenerationMeta:
    return GenerationMeta(
        number=number,
        created_at=iso_utc(time.time_ns()),
        who=caller(),
        version=__version__,
        commit=_commit(workspace.root),
        fingerprints={name: bot.fingerprint for name, bot in desired.bots.items()},
    )


def _commit(root: Path) -> str | None:
    """The checked-out commit; None where there is no git or no repository."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _document(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        path.chmod(0o600)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
