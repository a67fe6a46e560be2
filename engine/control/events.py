"""What an apply tells programs while it runs: one value per event, under `schemas/apply-events.schema.json`.

`Fleet.events` is where they go; whoever does not listen loses nothing, because no decision hangs on them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from engine.clock import iso_utc
from engine.errors import BotctlError
from engine.model.value import Value
from engine.plan.actions import Plan
from engine.plan.document import plan_document

VERSION = 1


class ApplyEvent(Value, frozen=True, kw_only=True, tag_field="event"):
    """Something that happened, past tense."""


class Planned(ApplyEvent, frozen=True, kw_only=True, tag="planned"):
    """The plan that was agreed to."""

    plan: Plan


class Progressed(ApplyEvent, frozen=True, kw_only=True, tag="progressed"):
    """A line for people."""

    line: str


class GenerationWritten(ApplyEvent, frozen=True, kw_only=True, tag="generation_written"):
    """Stored, and not in force yet."""

    generation: int


class GenerationSwitched(ApplyEvent, frozen=True, kw_only=True, tag="generation_switched"):
    """In force: every start from now on means it."""

    generation: int


class StepDone(ApplyEvent, frozen=True, kw_only=True, tag="step_done"):
    """These programs are through this step: `stopped`, `started`, `reloaded`, or `healthy`."""

    subject: str
    step: str
    names: tuple[str, ...]


class WaveEvent(ApplyEvent, frozen=True, kw_only=True):
    """About one wave of a rollout, the first being 1. A canary's bots trade at a smaller size until judged."""

    wave: int
    of: int
    bots: tuple[str, ...]
    canary: bool


class WaveBegun(WaveEvent, frozen=True, kw_only=True, tag="wave_begun"):
    """Its bots are being changed."""


class WaveHealthy(WaveEvent, frozen=True, kw_only=True, tag="wave_healthy"):
    """Its bots quote with what was planned, and a canary did well: the next wave may begin."""


class WaveFailed(WaveEvent, frozen=True, kw_only=True, tag="wave_failed"):
    """It did not become what it should; no later wave begins."""

    error: str


class RollbackBegun(ApplyEvent, frozen=True, kw_only=True, tag="rollback_begun"):
    """Bots touched so far get the settings of that generation back, by a plan of its own."""

    to_generation: int
    plan: Plan


class RolledBack(ApplyEvent, frozen=True, kw_only=True, tag="rolled_back"):
    """They have them, and are healthy. Positions and fills stay what they became."""

    to_generation: int


class Applied(ApplyEvent, frozen=True, kw_only=True, tag="applied"):
    """Everything planned is true; with nothing to do, at once."""

    changes: int


class Failed(ApplyEvent, frozen=True, kw_only=True, tag="failed"):
    """It ended here, with the exit code of the command."""

    exit_code: int
    error: str
    hint: str | None


Sink = Callable[[ApplyEvent], None]


def nobody(_event: ApplyEvent) -> None:
    """The sink of those who do not listen."""


def failed(error: BotctlError) -> Failed:
    return Failed(exit_code=error.exit_code, error=error.message, hint=error.hint)


class Stream:
    """Writes events as lines of JSON, numbered and dated."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write, self._number = write, 0

    def __call__(self, event: ApplyEvent) -> None:
        self._number += 1
        head = {"version": VERSION, "number": self._number, "at": iso_utc(time.time_ns())}
        self._write(msgspec.json.encode({**head, **_document(event)}).decode())


def _document(event: ApplyEvent) -> dict[str, Any]:
    """A plan looks as it does in `plan --json`."""
    facts: dict[str, Any] = msgspec.to_builtins(event)
    if isinstance(event, Planned | RollbackBegun):
        facts["plan"] = plan_document(event.plan)
    return facts
