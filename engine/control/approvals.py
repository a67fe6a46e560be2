"""Notes that somebody approves a saved plan: a line of the audit log, and the file that apply looks for."""

from __future__ import annotations

import time

import msgspec

from engine.clock import iso_utc
from engine.control.audit import record
from engine.control.fleet import person
from engine.host.approvals import approvals_file, approvals_of
from engine.host.files import write_atomic
from engine.host.locks import exclusive
from engine.host.workspace import Workspace
from engine.plan.policy_facts import Approval

KEEP_S = 30 * 86_400.0
"""A saved plan expires long before; its approvals are of no use after that."""


def approve(workspace: Workspace, plan: str, why: str) -> tuple[Approval, ...]:
    """Note that who calls approves the plan of this hash; everybody who has done so by now."""
    who = person()
    record(workspace, "approve", result="done", person=who, saved_plan=plan, why=why)
    with exclusive(workspace.state / "approvals.lock"):  # Two people may approve at once.
        others = tuple(approval for approval in approvals_of(workspace, plan) if approval.who != who)
        approvals = (*others, Approval(who=who, at=iso_utc(time.time_ns()), why=why))
        write_atomic(approvals_file(workspace, plan), msgspec.json.encode(approvals) + b"\n", durable=True)
        _forget_old(workspace)
    return approvals


def _forget_old(workspace: Workspace) -> None:
    oldest = time.time() - KEEP_S
    for file in workspace.approvals.glob("*.json"):
        if file.stat().st_mtime < oldest:
            file.unlink(missing_ok=True)
