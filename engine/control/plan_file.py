"""Keeps plans in files: written private and whole, read only when every byte is as it was written."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

from engine import __version__
from engine.clock import NS_PER_S
from engine.control.desired import load_workspace
from engine.control.fleet import Fleet, caller
from engine.control.planning import Planned
from engine.errors import ConfigInvalid, UsageError
from engine.host.files import write_atomic
from engine.plan.saved import SavedPlan, decode, encode

SUFFIX = ".botplan"
MOST_BYTES = 256 << 20


def require_plan_name(path: Path) -> None:
    """So that `apply` knows a file from a bot, and nothing is planned for a folder that is not there."""
    if path.suffix != SUFFIX:
        raise UsageError(f"a plan file's name ends with {SUFFIX}", hint=f"-o {path.stem}{SUFFIX}")
    require_folder(path)


def require_folder(path: Path) -> None:
    """Before anything is made that is to lie there."""
    if not path.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}", hint=f"mkdir -p {path.parent}")


def write_plan(
    path: Path, planned: Planned, *, expires_s: float, tolerance_pct: Decimal, came_from: int | None = None
) -> None:
    """Save a plan for `apply`, readable by its owner alone."""
    now_ns = time.time_ns()
    saved = SavedPlan(
        botctl=__version__,
        who=caller(),
        made_ns=now_ns,
        expires_ns=now_ns + int(expires_s * NS_PER_S),
        plan=planned.plan,
        desired=planned.desired,
        only=planned.only,
        tolerance_pct=tolerance_pct,
        made_from=planned.made_from,
        came_from=came_from,
    )
    write_atomic(path, encode(saved))


def read_plan(path: Path, fleet: Fleet) -> SavedPlan:
    """A plan that may be applied here and now. StateDamaged, Conflict or StalePlan say why one may not."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint=f"botctl plan -o {path}") from error
    saved = decode(content, name=str(path))
    saved.require_mine(_fleet_id(fleet), time.time_ns())
    return saved


def _fleet_id(fleet: Fleet) -> str:
    """The workspace's fleet by its own file, which also a fleet that was never applied has."""
    loaded = load_workspace(fleet.workspace).fleet
    if loaded is None:
        raise ConfigInvalid("which fleet this is cannot be read from bots/fleet.yaml", hint="botctl validate")
    return loaded.id
