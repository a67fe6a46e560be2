"""Looks for what commonly goes wrong on a host and in a workspace. Reads and asks; changes nothing."""

from __future__ import annotations

import asyncio
import resource
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from engine.clock import NS_PER_S
from engine.control.desired import load_workspace
from engine.control.facts import known_facts
from engine.control.fleet import Fleet
from engine.control.observe import observe
from engine.errors import BotctlError, ConfigInvalid, VenueError
from engine.exchanges.registry import configured_venue
from engine.host.endpoints import account_endpoints
from engine.host.env_file import require_private
from engine.host.workspace import Workspace
from engine.model.value import Value
from engine.plan.observed import Engine, Observed, Unknown
from engine.spec.types import AccountSpec, BotSpec
from engine.transport.live import LiveWorld

FACTS_AGE_LIMIT_S = 7 * 86_400
CLOCK_LIMIT_S = 0.5
VENUE_TIMEOUT_S = 5.0
SOCKET_PATH_LIMIT = 100
"""A unix socket's path may have 104 bytes on macOS, 108 on Linux."""
FREE_SPACE_BYTES = 1 << 30
DESCRIPTORS = 1024
"""As `minfds` in supervisord.conf.j2."""
PROGRAMS = ("botctl-engine", "botctl-sim")


class Grade(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(Value, frozen=True, kw_only=True):
    """One thing that was looked at."""

    grade: Grade
    what: str
    hint: str = ""


def checkup(fleet: Fleet) -> Iterator[Finding]:
    """Everything worth knowing, from the machine to the venues."""
    yield from _programs()
    yield _descriptors()
    yield from _state(fleet.workspace)
    observed = observe(fleet)
    yield _supervisor(observed)
    yield from _engines(observed)
    yield from _venues(fleet.workspace)


def _programs() -> Iterator[Finding]:
    for name in PROGRAMS:
        path = Path(sys.executable).parent / name
        if path.is_file():
            yield Finding(grade=Grade.OK, what=f"{path} is installed")
        else:
            yield Finding(grade=Grade.FAIL, what=f"{path} is missing", hint="install botctl again: pip install .")


def _descriptors() -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard >= DESCRIPTORS:
        return Finding(grade=Grade.OK, what=f"up to {DESCRIPTORS} open files are allowed")
    return Finding(
        grade=Grade.FAIL,
        what=f"only {hard} open files are allowed",
        hint=f"raise the limit: ulimit -Hn {DESCRIPTORS}",
    )


def _state(workspace: Workspace) -> Iterator[Finding]:
    yield _private(workspace.state)
    if workspace.env_file.exists():
        yield _secret(workspace.env_file)
    longest = len(bytes(workspace.runtime_dir)) + len("/.sock") + 63
    if longest > SOCKET_PATH_LIMIT:
        yield Finding(
            grade=Grade.WARN,
            what=f"sockets in {workspace.runtime_dir} may get names longer than the system takes",
            hint="set XDG_RUNTIME_DIR to a shorter folder, or keep bot names short",
        )
    free = shutil.disk_usage(workspace.root).free
    if free < FREE_SPACE_BYTES:
        yield Finding(
            grade=Grade.FAIL,
            what=f"only {free >> 20} MB are free: a bot stops when its journal cannot be written",
            hint="make space",
        )


def _private(place: Path) -> Finding:
    if not place.exists():
        return Finding(grade=Grade.OK, what=f"{place} does not exist yet: nothing was applied")
    mode = stat.S_IMODE(place.stat().st_mode)
    if mode & 0o077:
        return Finding(grade=Grade.FAIL, what=f"others can enter {place}", hint=f"chmod 700 {place}")
    return Finding(grade=Grade.OK, what=f"{place} is private")


def _secret(path: Path) -> Finding:
    try:
        require_private(path)
    except BotctlError as error:
        return Finding(grade=Grade.FAIL, what=error.message, hint=error.hint or "")
    return Finding(grade=Grade.OK, what=f"{path} is private")


def _supervisor(observed: Observed) -> Finding:
    if isinstance(observed.processes, Unknown):
        return Finding(grade=Grade.FAIL, what=observed.processes.why, hint="see .botctl/logs/supervisord.log")
    if not observed.processes:
        return Finding(grade=Grade.OK, what="no supervisord runs; `botctl apply` starts one")
    return Finding(grade=Grade.OK, what=f"supervisord keeps {len(observed.processes)} bots")


def _engines(observed: Observed) -> Iterator[Finding]:
    for name, engine in observed.engines.items():
        if isinstance(engine, Unknown):
            yield Finding(grade=Grade.FAIL, what=engine.why, hint=f"botctl logs {name}; botctl restart {name}")
    answering = sum(isinstance(engine, Engine) for engine in observed.engines.values())
    if answering:
        yield Finding(grade=Grade.OK, what=f"{answering} engines answer")


def _venues(workspace: Workspace) -> Iterator[Finding]:
    try:
        loaded = load_workspace(workspace)
    except ConfigInvalid as error:
        yield Finding(grade=Grade.FAIL, what=error.message, hint=error.hint or "")
        return
    if loaded.has_errors:
        yield Finding(grade=Grade.FAIL, what="the fleet's files have errors", hint="botctl validate")
    for account in _accounts([bot.spec for bot in loaded.bots.values()]):
        yield _clock(workspace, account)
        yield _facts(workspace, account)


def _accounts(bots: list[BotSpec]) -> list[AccountSpec]:
    """One account per venue and environment that the bots trade in."""
    accounts = (bot.accounts[leg.account] for bot in bots for leg in bot.legs.values())
    return list({(account.venue, account.environment): account for account in accounts}.values())


def _clock(workspace: Workspace, account: AccountSpec) -> Finding:
    where = f"{account.venue} ({account.environment})"
    try:
        offset_s = asyncio.run(_clock_offset_s(workspace, account))
    except VenueError as error:
        return Finding(grade=Grade.WARN, what=f"{where} cannot be asked: {error.message}", hint=error.hint or "")
    if abs(offset_s) > CLOCK_LIMIT_S:
        return Finding(
            grade=Grade.WARN,
            what=f"the clock of {where} is {offset_s:+.2f} s from ours",
            hint="synchronise this host's clock; engines measure and allow for the difference",
        )
    return Finding(grade=Grade.OK, what=f"{where} answers; its clock is {offset_s:+.3f} s from ours")


async def _clock_offset_s(workspace: Workspace, account: AccountSpec) -> float:
    venue, world = configured_venue(account.venue, account.options), LiveWorld()
    endpoints = account_endpoints(workspace, account, venue.facts)
    try:
        before_ns = world.now_ns()
        request = venue.server_time_request()
        response = await world.http(endpoints.rest_url, request, timeout_s=VENUE_TIMEOUT_S)
        middle_ns = (before_ns + world.now_ns()) // 2
        return (venue.decode_server_time(response) - middle_ns) / NS_PER_S
    finally:
        await world.close()


def _facts(workspace: Workspace, account: AccountSpec) -> Finding:
    where = f"{account.venue} ({account.environment})"
    known = known_facts(workspace)(account.venue, account.environment)
    if known is None:
        return Finding(
            grade=Grade.WARN,
            what=f"the markets of {where} are not known yet: prices and sizes are not checked against its ticks",
            hint="`botctl apply` asks for them",
        )
    age_s = (time.time_ns() - known.fetched_at_ns) / NS_PER_S
    if age_s > FACTS_AGE_LIMIT_S:
        return Finding(
            grade=Grade.WARN,
            what=f"what is known of {where} is {age_s / 86_400:.0f} days old",
            hint=f"remove {workspace.facts} to have it fetched again at the next apply",
        )
    return Finding(grade=Grade.OK, what=f"{len(known.instruments)} markets of {where} are known")
