"""What was applied to a fleet so far, as its generations tell it. `history`, `diff` and `rollback` ask here."""

from __future__ import annotations

import msgspec

from engine.control.generations import APPLIED, INTERRUPTED
from engine.control.lock import Writer, writing
from engine.errors import Conflict, StateDamaged, UsageError
from engine.host.generation import (
    Generation,
    GenerationMeta,
    current_number,
    kept_generations,
    read_generation,
    read_meta,
    read_outcome,
)
from engine.host.workspace import Workspace
from engine.model.value import Value

IN_PROGRESS, UNKNOWN, DAMAGED = "in progress", "unknown", "damaged"


class Past(Value, frozen=True, kw_only=True):
    """One generation. `result` is applied, failed, interrupted, in progress; unknown before that was kept; or
    damaged. None and empty is what is not known."""

    number: int
    is_current: bool
    result: str
    error: str = ""
    verb: str = ""
    words: str = ""
    why: str = ""
    who: str = ""
    version: str = ""
    commit: str | None = None
    came_from: int | None = None
    overridden: tuple[str, ...] = ()
    started_at: str = ""
    finished_at: str | None = None


def history(workspace: Workspace, count: int) -> tuple[Past, ...]:
    """The newest `count` generations, newest first."""
    numbers = kept_generations(workspace)
    return tuple(past_of(workspace, number) for number in reversed(numbers[-count:]))


def past_of(workspace: Workspace, number: int) -> Past:
    """One generation; UsageError when it is not kept."""
    _require_kept(workspace, number)
    is_newest = number == max(kept_generations(workspace))
    writer = writing(workspace) if is_newest else None
    return _past(workspace, number, number == current_number(workspace), writer)


def find_generation(workspace: Workspace, number: int) -> Generation:
    """A generation whole; UsageError when it is not kept."""
    _require_kept(workspace, number)
    return read_generation(workspace, number)


def last_good(workspace: Workspace) -> int:
    """The newest generation before the one in force that was applied to the end."""
    current = current_number(workspace)
    if current is None:
        raise Conflict("nothing was applied yet", hint="run `botctl apply` first")
    for number in reversed(kept_generations(workspace)):
        if number < current and _past(workspace, number, False, None).result == APPLIED:
            return number
    raise Conflict(
        f"no generation before {current} is known to have been applied to the end",
        hint="`botctl history` shows them; name one: botctl rollback GEN",
    )


def _require_kept(workspace: Workspace, number: int) -> None:
    if number not in kept_generations(workspace):
        raise UsageError(f"generation {number} is not kept", hint="`botctl history` lists those that are")


def _past(workspace: Workspace, number: int, is_current: bool, writer: Writer | None) -> Past:
    try:
        meta, outcome = read_meta(workspace, number), read_outcome(workspace, number)
    except StateDamaged as error:
        return Past(number=number, is_current=is_current, result=DAMAGED, error=error.message)
    past = Past(
        number=number,
        is_current=is_current,
        result=_unfinished(meta, writer),
        verb=meta.verb,
        words=meta.words,
        why=meta.why,
        who=meta.who,
        version=meta.version,
        commit=meta.commit,
        came_from=meta.came_from,
        overridden=meta.overridden,
        started_at=meta.created_at,
    )
    if outcome is None:
        return past
    return msgspec.structs.replace(
        past, result=outcome.result, error=outcome.error, finished_at=outcome.finished_at
    )


def _unfinished(meta: GenerationMeta, writer: Writer | None) -> str:
    """Of an apply that left no result: it goes on when whoever wrote the generation still holds the lock."""
    if not meta.verb:
        return UNKNOWN
    return IN_PROGRESS if writer and writer.since <= meta.created_at else INTERRUPTED
