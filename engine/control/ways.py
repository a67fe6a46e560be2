"""The way to a venue for whoever asks it a question from the command line: the one its bots take."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.runtime.proxies import proxy_of
from engine.spec.types import BotSpec
from engine.transport.live import LiveWorld
from engine.transport.proxy import Proxy
from engine.transport.world import World

T = TypeVar("T")


def shell_secrets(workspace: Workspace) -> Secrets:
    """Secrets for a person in the foreground, whose shell counts."""
    return Secrets(workspace, shell=os.environ, shell_allowed=True)


def way_out(workspace: Workspace, bots: Iterable[BotSpec]) -> Proxy | None:
    """The proxy of the first bot that has one of its own, else the fleet's default, else none."""
    own = next((bot for bot in bots if bot.process.proxy is not None), None)
    return proxy_of(own, shell_secrets(workspace), hide=lambda _secrets: None)


def ask_through(proxy: Proxy | None, question: Callable[[World], Awaitable[T]]) -> T:
    """Ask in a world of its own, closed when the answer is there."""

    async def asked() -> T:
        world = LiveWorld(proxy)
        try:
            return await question(world)
        finally:
            await world.close()

    return asyncio.run(asked())
