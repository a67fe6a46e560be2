"""Where it is kept what is wrong and who was told: `.botctl/alerts.json`, written by the monitor alone."""

from __future__ import annotations

import msgspec

from engine.control.alerts.ledger import Ledger
from engine.host.files import read_if_present, write_atomic
from engine.host.workspace import Workspace


def read_ledger(workspace: Workspace) -> Ledger:
    """Empty before the first look, and for what an earlier version left there that cannot be read: then everything
    that goes on is told again."""
    content = read_if_present(workspace.alerts)
    try:
        return msgspec.json.decode(content or b"{}", type=Ledger)
    except msgspec.MsgspecError:
        return Ledger()


def write_ledger(workspace: Workspace, ledger: Ledger) -> None:
    write_atomic(workspace.alerts, msgspec.json.encode(ledger))
