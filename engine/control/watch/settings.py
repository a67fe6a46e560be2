"""What a watch goes by: the options it was called with, over `watch:` of the fleet in force.

Never what the commit under judgement says: whoever may push could else switch its own check off.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from engine.control.desired import load_workspace
from engine.errors import UsageError
from engine.host.generation import read_current_fleet
from engine.host.workspace import Workspace
from engine.model.value import Value
from engine.spec.types import WatchSpec

INTERVAL_S = 60.0

_SECRET_IN_ADDRESS = re.compile(r"[a-z+]+://[^/@]*:[^/@]*@|https?://[^/]*@")


class Options(Value, frozen=True, kw_only=True):
    """What a person says on the command line; None is not said."""

    repo: str | None = None
    branch: str | None = None
    interval_s: float | None = None
    require_signed: bool | None = None
    allowed_signers: str | None = None
    env: str | None = None
    accept: tuple[str, ...] | None = None


def watch_spec(workspace: Workspace, options: Options) -> WatchSpec | None:
    """None where neither options nor the fleet name a repository. Before the first apply the files count."""
    declared = _in_force(workspace)
    said = {name: value for name, value in msgspec.structs.asdict(options).items() if value is not None}
    if declared is None and options.repo is None:
        return None
    base = {"branch": "main", "interval_s": INTERVAL_S, "require_signed": False}
    if declared is not None:
        base = msgspec.to_builtins(declared)
    spec = msgspec.convert({**base, **said}, WatchSpec, strict=False)
    if spec.repo.startswith("-") or spec.branch.startswith("-"):
        raise UsageError("neither a repository nor a branch begins with a dash")
    if _SECRET_IN_ADDRESS.match(spec.repo):
        raise UsageError(
            "the repository's address holds a password or token",
            hint="leave it out: git takes it from a credential helper; and revoke it, it stood in the open",
        )
    return spec


def address_of(workspace: Workspace, spec: WatchSpec) -> str:
    """As git takes it: a folder counts from the workspace, not from where the command is typed."""
    is_elsewhere = ":" in spec.repo.partition("/")[0]  # https://…, and git@host:path as ssh writes it
    return spec.repo if is_elsewhere else str(workspace.root / spec.repo)


def signers_of(workspace: Workspace, spec: WatchSpec) -> Path | None:
    """The workspace's own file: one in the repository could be changed by whom it should judge."""
    return workspace.root / spec.allowed_signers if spec.allowed_signers else None


def _in_force(workspace: Workspace) -> WatchSpec | None:
    fleet = read_current_fleet(workspace)
    if fleet is None and workspace.bots.is_dir():
        fleet = load_workspace(workspace).fleet
    return fleet.watch if fleet else None
