"""`botctl watch`: applies the commits of a branch by itself; people suspend it, resume it, forget what it left."""

from __future__ import annotations

import os
import time
from enum import StrEnum
from typing import Annotated

import typer

from engine.clock import iso_utc
from engine.commands.options import Accept, Directory, Env, Why, tell
from engine.control.audit import record
from engine.control.fleet import Fleet, open_fleet
from engine.control.watch.session import watch, watch_once
from engine.control.watch.settings import Options, watch_spec
from engine.control.watch.state import forget, resume, suspend
from engine.errors import UsageError
from engine.host.generation import read_current
from engine.host.secrets import Secrets
from engine.plan.risk_words import parse_risks
from engine.spec.types import WatchSpec


class Wish(StrEnum):
    SUSPEND = "suspend"
    RESUME = "resume"
    FORGET = "forget"


def command(
    wish: Annotated[
        Wish | None,
        typer.Argument(
            metavar="[suspend|resume|forget]", help="what a watch leaves alone; what one left", show_default=False
        ),
    ] = None,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]…", help="bots; none is everything", show_default=False)
    ] = None,
    directory: Directory = None,
    repo: Annotated[str | None, typer.Option("--repo", metavar="URL|PATH", help="the repository")] = None,
    branch: Annotated[str | None, typer.Option("--branch", help="else main")] = None,
    interval_s: Annotated[
        float | None, typer.Option("--interval", metavar="SECONDS", min=1, help="how often to look; else 60")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="look once, and exit with how it ended")] = False,
    require_signed: Annotated[
        bool | None, typer.Option("--require-signed", help="only commits that git verifies")
    ] = None,
    allowed_signers: Annotated[
        str | None, typer.Option("--allowed-signers", metavar="FILE", help="the SSH keys that may sign")
    ] = None,
    env: Env = None,
    accept: Accept = "",
    why: Why = "",
) -> int:
    """Apply the newest commit of a branch, and every later one. Options come over `watch:` of fleet.yaml."""
    fleet = open_fleet(directory, verb="watch", progress=tell)
    if wish is not None:
        _do(fleet, wish, names or [], why)
        return 0
    options = Options(
        repo=repo,
        branch=branch,
        interval_s=interval_s,
        require_signed=require_signed,
        allowed_signers=allowed_signers,
        env=env,
        accept=tuple(sorted(parse_risks(accept))) if accept else None,
    )
    spec = _required(fleet, options)
    secrets = Secrets(fleet.workspace, shell=os.environ, shell_allowed=True)
    if once:
        return watch_once(fleet, spec, secrets).exit_code
    watch(fleet, lambda: watch_spec(fleet.workspace, options), secrets)
    return 0


def _required(fleet: Fleet, options: Options) -> WatchSpec:
    spec = watch_spec(fleet.workspace, options)
    if spec is None:
        raise UsageError(
            "which repository?", hint="botctl watch --repo URL|PATH, or `watch: {repo: …}` in bots/fleet.yaml"
        )
    return spec


def _do(fleet: Fleet, wish: Wish, names: list[str], why: str) -> None:
    if wish is not Wish.FORGET:
        _tell_watch(fleet, wish, names, why)
    elif names:
        raise UsageError("what a watch left is forgotten as a whole", hint="botctl watch forget")
    elif forget(fleet.workspace):
        record(fleet.workspace, "watch forget", result="done", why=why)
        print("forgotten: how the branch stood, and the copy of its repository")
    else:
        print("no watch has left anything here")


def _tell_watch(fleet: Fleet, wish: Wish, names: list[str], why: str) -> None:
    workspace = fleet.workspace
    workspace.prepare()
    generation = read_current(workspace)
    if wish is Wish.SUSPEND:
        suspend(workspace, names, why=why, at=iso_utc(time.time_ns()))
    else:
        resume(workspace, names, generation=generation.number if generation else None)
    record(workspace, f"watch {wish}", result="done", bots=names or ["everything"], why=why)
    print(f"{', '.join(names) or 'everything'}: {_DONE[wish]}")
    for name in sorted(set(names) - set(generation.bots if generation else ())):
        tell(f"note: no bot {name} is in force now")


_DONE = {Wish.SUSPEND: "left alone by the watch from now on", Wish.RESUME: "applied by the watch again"}
