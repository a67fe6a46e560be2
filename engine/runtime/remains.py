"""What a bot's earlier lives may have left at the venue."""

from __future__ import annotations

from engine.errors import Unavailable
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.runtime.journal_reader import live_orders, read_number
from engine.runtime.memory import known_journal
from engine.runtime.sites import find_sites
from engine.spec.types import BotSpec


def has_traded(workspace: Workspace, bot: str) -> bool:
    """Whether the bot has fills, and so may hold a position."""
    files = (workspace.journals / bot).glob("*.sqlite")
    return any(read_number(file, "SELECT count(*) FROM fills") for file in files)


def orders_left(workspace: Workspace, spec: BotSpec, *, fleet_id: str, secrets: Secrets) -> int:
    """How many of the bot's orders may rest or fill although no process looks after them.

    None where a simulator is gone: its orders went with it.
    """
    try:
        sites = find_sites(workspace, spec, fleet_id=fleet_id, secrets=secrets)
    except Unavailable:
        return 0
    file = known_journal(workspace, spec.name, sites)
    return live_orders(file) if file else 0
