"""Tells a person which orders on bots' markets are not the bots', and why they stay so."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import astuple

from engine.commands.table import table
from engine.control.foreign_orders import foreign_orders
from engine.host.workspace import Workspace

DIFFERENCES = 2
HEAD = ("ACCOUNT", "MARKET", "SIDE", "PRICE", "SIZE", "VENUE'S ORDER")
WHY = """No bot can take these over: an order is a bot's own by its client id, which no venue lets one change.
They are left alone. Cancel them where they were placed; the bots place their own."""


def show_foreign_orders(workspace: Workspace, bots: Sequence[str]) -> int:
    """2 when there are some."""
    found = foreign_orders(workspace, bots)
    if not found:
        print("every order on these markets is a bot's own")
        return 0
    print(table(HEAD, [astuple(order) for order in found]))
    print(WHY)
    return DIFFERENCES
