"""Which findings of `botctl drift` people leave as they are, as looking reads it. `engine.control.drift.ignoring`
writes."""

from __future__ import annotations

import msgspec

from engine.errors import StateDamaged
from engine.host.files import read_if_present
from engine.host.workspace import Workspace
from engine.plan.drift.findings import Noted


def ignored_drift(workspace: Workspace) -> dict[str, Noted]:
    """By the finding's id, oldest note first."""
    content = read_if_present(workspace.ignored_drift)
    if content is None:
        return {}
    try:
        return {noted.id: noted for noted in msgspec.json.decode(content, type=tuple[Noted, ...])}
    except msgspec.MsgspecError as error:
        raise StateDamaged(
            f"what was ignored cannot be trusted: {workspace.ignored_drift}: {error}",
            hint="remove the file: every finding is told again, and can be ignored anew",
        ) from error
