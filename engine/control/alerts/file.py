"""Where it is kept what is wrong and who was told: `.botctl/alerts.json`, written by the monitor alone."""

from __future__ import annotations

import msgspec

from engine.control.alerts.ledger import Ledger
from engine.host.files import read_if_present, write_atomic
from engine.host.workspace import Workspace


def read_ledger(workspace: Workspace) -> Ledger:
    """Empty before the first look, and for what is damaged or of another version: then everything that goes on is
    told again."""
    try:
        return msgspec.json.decode(read_if_present(workspace.alerts) or b"{}", type=Ledger)
    except (OSError, ValueError):  # ValueError is msgspec's too, beside bytes that are no text
        return Ledger()


def write_ledger(workspace: Workspace, ledger: Ledger) -> None:
    write_atomic(workspace.alerts, msgspec.json.encode(ledger))
