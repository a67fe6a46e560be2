"""The append-only record of who changed the fleet, when, and to which generation."""

from __future__ import annotations

import json
import os
import time

from engine.clock import iso_utc
from engine.control.fleet import caller
from engine.host.files import PRIVATE_FILE
from engine.host.workspace import Workspace


def record(workspace: Workspace, what: str, **facts: str | int | list[str] | None) -> None:
    """Add one line. One write of one line in append mode: concurrent writers do not mix."""
    line = json.dumps({"at": iso_utc(time.time_ns()), "who": caller(), "what": what, **facts}, ensure_ascii=False)
    handle = os.open(workspace.audit_log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, PRIVATE_FILE)
    try:
        os.write(handle, line.encode() + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)
