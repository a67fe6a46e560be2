"""The surroundings of this very process: the live world, and its own name for the locks it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from engine.host.locks import this_process
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.runtime.startup import Surroundings
from engine.transport.live import LiveWorld

Hide = Callable[[Iterable[str]], None]


def surroundings(
    world: LiveWorld, workspace: Workspace, secrets: Secrets, bot: str, hide: Hide, *, passing: bool = False
) -> Surroundings:
    """What a start-up or a wind-up of this bot is handed. `passing`: only until the bot's orders are gone."""
    return Surroundings(
        world=world,
        workspace=workspace,
        secrets=secrets,
        holder=this_process(bot, workspace.root, world.now_ns(), passing=passing),
        hide=hide,
        way=world.way,
    )
