"""`botctl adopt`: what a bot's fills do not explain of its position becomes its own."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.commands.foreign_orders import show_foreign_orders
from engine.commands.options import Directory, Names, Why, Yes, tell
from engine.commands.settling import settle_all
from engine.control.adoption import Settling
from engine.control.fleet import open_fleet


def command(
    names: Names = None,
    directory: Directory = None,
    price: Annotated[
        str | None, typer.Option(help="what it is taken over at; else the venue's entry price")
    ] = None,
    orders: Annotated[
        bool, typer.Option("--orders", help="show orders of others on the bots' markets, and why they stay theirs")
    ] = False,
    yes: Yes = False,
    why: Why = "",
) -> int:
    """Take position that bots (all when none is named) did not trade into their books, to manage from now on."""
    fleet = open_fleet(directory, verb="adopt", progress=tell)
    if orders:
        return show_foreign_orders(fleet.workspace, names or ())
    settle_all(fleet, names or (), Settling.ADOPT, price=price, yes=yes, why=why)
    return 0
