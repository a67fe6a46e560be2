"""Writes what was applied: immutable, numbered, and switched to in one step. `engine.host.generation` reads it.

A generation is kept for good while it is in force or an engine runs it, and else as one of the newest `KEEP`.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from engine import __version__
from engine.clock import iso_utc
from engine.control.fleet import caller
from engine.control.origin import head_of
from engine.errors import BotctlError
from engine.host.files import PRIVATE_DIRECTORY, write_atomic
from engine.host.generation import (
    GenerationMeta,
    Outcome,
    current_number,
    kept_generations,
    read_meta,
    read_outcome,
)
from engine.host.workspace import Workspace
from engine.model.value import Value
from engine.plan.actions import Plan
from engine.plan.desired import Desired
from engine.plan.document import plan_document
from engine.plan.policy_facts import Warrant
from engine.plan.words import in_few_words

KEEP = 100

APPLIED, FAILED, INTERRUPTED = "applied", "failed", "interrupted"


class Deed(Value, frozen=True, kw_only=True):
    """What somebody does to the fleet, in the words that history and the audit log keep."""

    verb: str = "apply"
    why: str = ""
    came_from: int | None = None
    """Of a rollback: the generation whose settings come back."""
    warrant: Warrant = Warrant()
    overridden: tuple[str, ...] = ()
    """What overridden rules had against the plan, in words."""


def write_generation(
    workspace: Workspace, desired: Desired, *, conf: str, plan: Plan | None = None, deed: Deed | None = None
) -> int:
    """Store the next generation whole, on disk for good, without switching to it; its number."""
    workspace.generations.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
    number = 1 + max(kept_generations(workspace), default=0)
    draft = workspace.generations / f".draft-{number}"
    shutil.rmtree(draft, ignore_errors=True)
    (draft / "bots").mkdir(mode=PRIVATE_DIRECTORY, parents=True)
    for name, bot in desired.bots.items():
        _write(draft / "bots" / f"{name}.json", _document(bot.spec))
    _write(draft / "fleet.json", _document(desired.fleet))
    _write(draft / "supervisord.conf", conf.encode())
    if plan:
        changes = msgspec.structs.replace(plan, actions=plan.changes)
        _write(draft / "plan.json", _document(plan_document(changes)))
    _write(draft / "meta.json", _document(_meta(workspace, desired, number, plan, deed or Deed())))
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


@contextmanager
def outcome_kept(workspace: Workspace, number: int) -> Iterator[None]:
    """Write into a generation how its apply ended. A killed one writes nothing, and that is how it is known."""
    try:
        yield
    except BotctlError as error:
        _keep(workspace, number, FAILED, error.message)
        raise
    except KeyboardInterrupt:
        _keep(workspace, number, INTERRUPTED)
        raise
    _keep(workspace, number, APPLIED)


def close_interrupted(workspace: Workspace) -> int | None:
    """Nothing is left to do: an apply that did not live to say so had done everything. Its generation's number."""
    number = current_number(workspace)
    if number is None or not read_meta(workspace, number).verb or read_outcome(workspace, number) is not None:
        return None
    _keep(workspace, number, APPLIED)
    return number


def forget_old(workspace: Workspace, running: Collection[int]) -> None:
    """Remove what is older than the newest `KEEP`, but for the one in force and those that engines run."""
    spared = {*running, current_number(workspace)}
    for number in kept_generations(workspace)[:-KEEP]:
        if number not in spared:
            going = workspace.generations / f".old-{number}"
            (workspace.generations / str(number)).rename(going)  # Never half a generation, also in a crash.
    for going in workspace.generations.glob(".old-*"):
        shutil.rmtree(going)


def _keep(workspace: Workspace, number: int, result: str, error: str = "") -> None:
    outcome = Outcome(result=result, finished_at=iso_utc(time.time_ns()), error=error)
    write_atomic(workspace.generations / str(number) / "result.json", _document(outcome), durable=True)


def _meta(workspace: Workspace, desired: Desired, number: int, plan: Plan | None, deed: Deed) -> GenerationMeta:
    return GenerationMeta(
        number=number,
        created_at=iso_utc(time.time_ns()),
        who=caller(),
        version=__version__,
        commit=_commit(workspace, deed),
        fingerprints={name: bot.fingerprint for name, bot in desired.bots.items()},
        verb=deed.verb,
        why=deed.why,
        words=in_few_words(plan) if plan else "",
        came_from=deed.came_from,
        overridden=deed.overridden,
    )


def _commit(workspace: Workspace, deed: Deed) -> str | None:
    """What a saved plan was made from, else what is checked out now."""
    made_from = deed.warrant.made_from
    return made_from.id if made_from and made_from.id else head_of(workspace.root)


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
