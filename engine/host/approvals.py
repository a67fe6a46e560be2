"""Who approved which saved plan, as apply looks for it. `engine.control.approvals` writes.

An approval is for the bytes of one plan file, by their hash: any other plan has none.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.errors import StateDamaged
from engine.host.files import read_if_present
from engine.host.workspace import Workspace
from engine.plan.policy_facts import Approval


def approvals_of(workspace: Workspace, plan: str) -> tuple[Approval, ...]:
    """Those of exactly this plan; of one that was never saved (its hash is empty), none."""
    content = read_if_present(approvals_file(workspace, plan)) if plan else None
    if content is None:
        return ()
    try:
        return msgspec.json.decode(content, type=tuple[Approval, ...])
    except msgspec.MsgspecError as error:
        raise StateDamaged(
            f"the approvals of this plan cannot be trusted: {approvals_file(workspace, plan)}: {error}",
            hint="remove the file, and have the plan approved again",
        ) from error


def approvals_file(workspace: Workspace, plan: str) -> Path:
    return workspace.approvals / f"{plan}.json"
