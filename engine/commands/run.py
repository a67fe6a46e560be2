"""`botctl run NAME`: one bot in the foreground, the same engine that supervisor runs.

It runs what is applied, so that nobody trades by accident what nobody planned; a bot that was never applied runs
as its files say it now. Secrets may come from the shell here, and Ctrl-C is the stop procedure.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer
from msgspec.structs import replace

from engine import __version__
from engine.clock import iso_utc
from engine.commands.options import Directory, tell
from engine.control.desired import env_in_force, resolve_desired
from engine.control.policy import findings
from engine.errors import ConfigInvalid, Refused
from engine.host.endpoints import read_sim_endpoint
from engine.host.generation import AppliedBot, GenerationMeta, read_current_bot
from engine.host.holds import Hold, HoldKind, read_hold
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace, find_workspace
from engine.plan.upholding import require_allowed
from engine.runtime.console import ConsoleLines
from engine.runtime.here import surroundings
from engine.runtime.logs import start_log
from engine.runtime.process import BotProcess
from engine.runtime.proxies import proxy_of
from engine.runtime.service import applied_reader, run_process
from engine.spec.types import BotSpec, Environment
from engine.transport.live import LiveWorld


def command(
    name: Annotated[str, typer.Argument(help="the bot")],
    directory: Directory = None,
) -> None:
    """Run one bot in the foreground until Ctrl-C, which cancels its orders before it ends."""
    workspace = find_workspace(directory)
    hold = _pause_at_most(read_hold(workspace, name), name)
    read_applied = _reader(workspace, name)
    _require_simulators(workspace, read_applied().spec)
    workspace.prepare()
    asyncio.run(_run(workspace, name, read_applied, hold))


async def _run(workspace: Workspace, name: str, read_applied: Callable[[], AppliedBot], hold: Hold | None) -> None:
    secrets = Secrets(workspace, shell=os.environ, shell_allowed=True)
    console = ConsoleLines(sys.stderr, colour=_use_colour())
    world = LiveWorld(proxy_of(read_applied().spec, secrets, hide=console.hide))
    start_log(console, read_applied().spec.process.log_level)
    around = surroundings(world, workspace, secrets, name, console.hide)
    try:
        await run_process(around, BotProcess(around, read_applied, hold=hold))
    finally:
        await world.close()


def _pause_at_most(hold: Hold | None, name: str) -> Hold | None:
    if hold and hold.kind is not HoldKind.PAUSE:
        raise Refused(
            f"{name} is held ({hold.kind}) by {hold.who} since {iso_utc(hold.since_ns)}: {hold.why}",
            hint=f"`botctl {'resume' if hold.tripped else 'start'} {name}` lifts the hold",
        )
    return hold


def _reader(workspace: Workspace, name: str) -> Callable[[], AppliedBot]:
    """The applied spec where there is one, else the declared one, resolved once, if the policy allows it."""
    if read_current_bot(workspace, name) is not None:
        return applied_reader(workspace, name)
    desired = resolve_desired(workspace, tell, env_in_force(workspace))
    if name not in desired.bots:
        raise ConfigInvalid(f"no bot {name!r} in {workspace.bots}", hint=f"bots: {', '.join(sorted(desired.bots))}")
    bot = desired.bots[name]
    require_allowed(findings(workspace, replace(desired, bots={name: bot})))
    meta = GenerationMeta(
        number=0, created_at="", who="", version=__version__, fingerprints={name: bot.fingerprint}
    )
    applied = AppliedBot(meta=meta, fleet=desired.fleet, spec=bot.spec)
    tell(f"{name} was never applied; running it as {bot.file} says")
    return lambda: applied


def _use_colour() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _require_simulators(workspace: Workspace, spec: BotSpec) -> None:
    """A person at a terminal wants to hear at once that nothing answers, and how to change that."""
    for leg in spec.legs.values():
        account = spec.accounts[leg.account]
        if account.environment is Environment.SIM and not account.rest_url:
            read_sim_endpoint(workspace, account.venue)
