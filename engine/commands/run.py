"""`botctl run`: one bot in the foreground, the same engine that supervisor runs.

A name runs what is applied, so that nobody trades by accident what nobody planned; a bot that was never applied
runs as its files say it now. A file, or flags alone, make a bot beside the fleet. Secrets may come from the shell
here, and Ctrl-C is the stop procedure.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from engine.clock import iso_utc
from engine.commands.options import Accept, Directory, read_settings, tell
from engine.control.desired import variables
from engine.control.direct import Runnable, Wish, find_runnable, running_directly
from engine.control.throwaway import throwaway_workspace
from engine.errors import Refused, UsageError
from engine.host.endpoints import read_sim_endpoint
from engine.host.holds import Hold, HoldKind, read_hold
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace, find_workspace
from engine.model.instrument import plain
from engine.plan.risk_words import parse_risks
from engine.runtime.console import ConsoleLines
from engine.runtime.here import surroundings
from engine.runtime.logs import start_log
from engine.runtime.process import BotProcess
from engine.runtime.proxies import proxy_of
from engine.runtime.service import run_process
from engine.spec.said import said_by_environment, said_by_flags
from engine.spec.types import BotSpec, Environment
from engine.trading.statistics import LegStatistics
from engine.transport.live import LiveWorld


def command(
    bot: Annotated[
        str | None, typer.Argument(metavar="[NAME | FILE.yaml]", help="a bot of the fleet, or a bot file")
    ] = None,
    exchange: Annotated[str | None, typer.Option(help="the venue")] = None,
    symbol: Annotated[str | None, typer.Option(help="the market, as the venue writes it")] = None,
    strategy: Annotated[str | None, typer.Option(help="the strategy's kind")] = None,
    account: Annotated[str | None, typer.Option(help="else the fleet's only one at the venue")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="any setting: strategy.spread_bps=20")
    ] = None,
    interval: Annotated[
        str | None, typer.Option(metavar="TIME", help="how long a quote stays at its price: 5, 90s or 1m")
    ] = None,
    duration: Annotated[
        str | None, typer.Option(metavar="TIME", help="the bot ends by itself after this: 600, 15m, 1h30m")
    ] = None,
    name: Annotated[str | None, typer.Option(help="what a bot of flags, or of a file elsewhere, is called")] = None,
    environment: Annotated[
        Environment | None, typer.Option(help="of the account that is chosen for a bot of flags")
    ] = None,
    accept: Accept = "",
    directory: Directory = None,
) -> None:
    """Run one bot in the foreground until Ctrl-C, or for its duration; its orders are cancelled before it ends."""
    flags = {
        "exchange": exchange,
        "symbol": symbol,
        "strategy": strategy,
        "account": account,
        "interval": interval,
        "duration": duration,
        "name": name,
    }
    over = said_by_flags(flags, read_settings(settings or [], example="strategy.spread_bps=20"))
    wish = Wish(target=bot, over=over, environment=environment, accepted=parse_risks(accept))
    with _workspace(directory, wish) as (workspace, wish):
        _run_in(workspace, wish)


@contextmanager
def _workspace(directory: Path | None, wish: Wish) -> Iterator[tuple[Workspace, Wish]]:
    """The workspace, and the wish with what its variables say. A file, or flags, do without one: on simulated
    venues a throwaway one serves."""
    is_whole = wish.target is None or wish.file is not None
    try:
        workspace = find_workspace(directory)
    except UsageError:
        if directory is not None or os.environ.get("BOTCTL_WORKSPACE") or not is_whole:
            raise
        wish = replace(wish, under=said_by_environment(os.environ))
        with throwaway_workspace(wish, tell) as workspace:
            yield workspace, wish
        return
    yield workspace, replace(wish, under=said_by_environment(variables(workspace)))


def _run_in(workspace: Workspace, wish: Wish) -> None:
    runnable = find_runnable(workspace, wish, tell)
    hold = _pause_at_most(read_hold(workspace, runnable.name), runnable)
    applied = runnable.read_applied()
    _require_simulators(workspace, applied.spec)
    workspace.prepare()
    with nullcontext() if runnable.is_applied else running_directly(workspace, applied):
        print(asyncio.run(_run(workspace, runnable, hold)))


async def _run(workspace: Workspace, runnable: Runnable, hold: Hold | None) -> str:
    """Until it ends; what it did, in words."""
    secrets, applied = Secrets(workspace, shell=os.environ, shell_allowed=True), runnable.read_applied()
    console = ConsoleLines(sys.stderr, colour=_use_colour())
    world = LiveWorld(proxy_of(applied.spec, secrets, hide=console.hide))
    start_log(console, applied.spec.process.log_level)
    around = surroundings(world, workspace, secrets, runnable.name, console.hide)
    process = BotProcess(around, runnable.read_applied, hold=hold)
    try:
        await run_process(around, process)
    finally:
        await world.close()
    return _what_it_did(runnable.name, process)


def _what_it_did(name: str, process: BotProcess) -> str:
    """In this run, leg by leg; a bot that was stopped before it began did nothing."""
    if process.bot is None:
        return f"{name}: ended before it traded"
    return "\n".join(f"{name}: {_leg_words(leg)}" for leg in process.bot.statistics.legs.values())


def _leg_words(leg: LegStatistics) -> str:
    run = leg.run
    net = "unknown" if run.net_pnl is None else plain(run.net_pnl)
    counts = f"{_many(run.orders.placed, 'order')}, {_many(run.fills, 'fill')}"
    return f"{leg.market}: {counts}, net {net} {leg.quote}, position {plain(leg.position)} {leg.base}"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _pause_at_most(hold: Hold | None, runnable: Runnable) -> Hold | None:
    if hold and hold.kind is not HoldKind.PAUSE:
        name, lift = runnable.name, "resume" if hold.tripped else "start"
        raise Refused(
            f"{name} is held ({hold.kind}) by {hold.who} since {iso_utc(hold.since_ns)}: {hold.why}",
            hint=f"`botctl {lift if runnable.is_declared else 'forget'} {name}` lifts the hold",
        )
    return hold


def _use_colour() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _require_simulators(workspace: Workspace, spec: BotSpec) -> None:
    """A person at a terminal wants to hear at once that nothing answers, and how to change that."""
    for leg in spec.legs.values():
        account = spec.accounts[leg.account]
        if account.environment is Environment.SIM and not account.rest_url:
            read_sim_endpoint(workspace, account.venue)
