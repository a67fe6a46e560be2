"""What is in force, for verbs that only look: this reads, and knows nothing that writes a generation."""

from __future__ import annotations

from engine.host.generation import current_number, read_meta
from engine.host.workspace import Workspace


def rollback_in_force(workspace: Workspace) -> str:
    """In words, that what is in force came back by a rollback; empty when it did not."""
    current = current_number(workspace)
    if current is None:
        return ""
    meta = read_meta(workspace, current)
    if meta.came_from is None:
        return ""
    return f"generation {current} in force is a rollback to {meta.came_from} by {meta.who}, {meta.created_at}" + (
        f": {meta.why}" if meta.why else ""
    )
