"""Reads what was applied. Engines and plans learn their specs here and nowhere else, so a crash restart cannot
pick up edits nobody applied. `engine.control.generations` is the writer."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from engine.errors import StateDamaged
from engine.host.workspace import Workspace
from engine.model.value import Value
from engine.spec.types import BotSpec, FleetSpec

T = TypeVar("T")


class GenerationMeta(Value, frozen=True, kw_only=True):
    """`meta.json`: who applied what, when, with which botctl. The defaults are what older versions did not keep."""

    number: int
    created_at: str
    who: str
    version: str
    commit: str | None = None
    fingerprints: dict[str, str]
    verb: str = ""
    why: str = ""
    words: str = ""
    """What the plan was, in a few words; the whole of it is in `plan.json`."""
    came_from: int | None = None
    """The generation whose settings these are again, after a rollback."""
    overridden: tuple[str, ...] = ()
    """What the policy had against it and somebody overrode, in words; `why` says why."""


class Outcome(Value, frozen=True, kw_only=True):
    """`result.json`, written when an apply ends: one that was killed leaves none."""

    result: str
    finished_at: str
    error: str = ""


class Generation(Value, frozen=True, kw_only=True):
    """One applied state of the fleet; immutable."""

    meta: GenerationMeta
    fleet: FleetSpec
    bots: dict[str, BotSpec]

    @property
    def number(self) -> int:
        return self.meta.number

    @property
    def fingerprints(self) -> dict[str, str]:
        return self.meta.fingerprints


class AppliedBot(Value, frozen=True, kw_only=True):
    """What one engine needs of a generation."""

    meta: GenerationMeta
    fleet: FleetSpec
    spec: BotSpec

    @property
    def fingerprint(self) -> str:
        return self.meta.fingerprints.get(self.spec.name, "")


def read_current(workspace: Workspace) -> Generation | None:
    """The generation in force; None before the first apply. StateDamaged when it cannot be trusted."""
    if not workspace.current.exists():
        if workspace.current.is_symlink():
            raise _damaged(workspace.current, "the generation it names is gone")
        return None
    return _read(workspace.current.resolve())


def read_generation(workspace: Workspace, number: int) -> Generation:
    """One generation by number; StateDamaged when it is missing or cannot be trusted."""
    return _read(workspace.generations / str(number))


def kept_generations(workspace: Workspace) -> tuple[int, ...]:
    """The numbers of all that are kept, oldest first."""
    return tuple(sorted(int(place.name) for place in workspace.generations.glob("[0-9]*")))


def current_number(workspace: Workspace) -> int | None:
    """Which one is in force; None before the first apply."""
    return int(workspace.current.resolve().name) if workspace.current.exists() else None


def read_meta(workspace: Workspace, number: int) -> GenerationMeta:
    return _decode(workspace.generations / str(number) / "meta.json", GenerationMeta)


def read_fleet(workspace: Workspace, number: int) -> FleetSpec:
    return _decode(workspace.generations / str(number) / "fleet.json", FleetSpec)


def read_outcome(workspace: Workspace, number: int) -> Outcome | None:
    """How the apply ended; None when it has not, or nobody lived to write it down."""
    file = workspace.generations / str(number) / "result.json"
    return _decode(file, Outcome) if file.exists() else None


def read_plan(workspace: Workspace, number: int) -> dict[str, Any] | None:
    """The changes of its plan, as the JSON of `botctl plan`; None of a version that kept none."""
    file = workspace.generations / str(number) / "plan.json"
    return _decode(file, dict[str, Any]) if file.exists() else None


def read_current_fleet(workspace: Workspace) -> FleetSpec | None:
    """The fleet around the bots alone; None before the first apply."""
    if not workspace.current.exists():
        return None
    return _decode(workspace.current.resolve() / "fleet.json", FleetSpec)


def read_current_bot(workspace: Workspace, bot: str) -> AppliedBot | None:
    """One bot of the current generation without reading its thousand neighbours; None when it is not in it."""
    if not workspace.current.exists():
        return None
    place = workspace.current.resolve()
    file = place / "bots" / f"{bot}.json"
    if not file.exists():
        return None
    return AppliedBot(
        meta=_decode(place / "meta.json", GenerationMeta),
        fleet=_decode(place / "fleet.json", FleetSpec),
        spec=_decode(file, BotSpec),
    )


def _read(place: Path) -> Generation:
    files = sorted((place / "bots").glob("*.json"))
    generation = Generation(
        meta=_decode(place / "meta.json", GenerationMeta),
        fleet=_decode(place / "fleet.json", FleetSpec),
        bots={file.stem: _decode(file, BotSpec) for file in files},
    )
    if set(generation.bots) != set(generation.fingerprints):
        raise _damaged(place, "its bots are not the ones its meta.json lists")
    return generation


def _decode(file: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except OSError as error:
        raise _damaged(file, error.strerror or "it cannot be read") from error
    except ValueError as error:  # msgspec's too, beside bytes that are no text
        raise _damaged(file, str(error)) from error


def _damaged(place: Path, why: str) -> StateDamaged:
    return StateDamaged(
        f"applied state {place} cannot be trusted: {why}",
        hint="`botctl apply` writes a new generation; engines keep running with what they have",
    )
