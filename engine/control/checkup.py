"""Looks for what commonly goes wrong on a host, in a workspace and on the way to venues. Reads and asks; changes
nothing."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.clock import NS_PER_S
from engine.control.backends.supervisor import absent_supervisors
from engine.control.desired import load_in_force
from engine.control.facts import known_facts
from engine.control.finding import Finding, Grade
from engine.control.fleet import Fleet
from engine.control.host_checkup import host_checkup
from engine.control.observe import observe
from engine.control.service_unit import unit_checkup
from engine.control.ways import ask_through, way_out
from engine.errors import BotctlError, ConfigInvalid, VenueError
from engine.exchanges.registry import configured_venue
from engine.host.endpoints import account_endpoints
from engine.host.env_file import require_private
from engine.host.workspace import Workspace
from engine.plan.observed import Engine, Observed, Unknown
from engine.spec.types import AccountSpec, BotSpec
from engine.transport.proxy import Proxy
from engine.transport.world import World

FACTS_AGE_LIMIT_S = 7 * 86_400
CLOCK_LIMIT_S = 0.5
VENUE_TIMEOUT_S = 5.0


def checkup(fleet: Fleet) -> Iterator[Finding]:
    """Everything worth knowing, from the machine to the venues."""
    observed = observe(fleet)
    bots = observed.applied.bots if observed.applied else {}
    yield from host_checkup(fleet.workspace, len(bots))
    yield from _state(fleet.workspace)
    yield _supervisor(observed, absent_supervisors(fleet.workspace))
    yield from unit_checkup(fleet.workspace)
    yield from _engines(observed)
    yield from _venues(fleet.workspace)


def _state(workspace: Workspace) -> Iterator[Finding]:
    yield _private(workspace.state)
    if workspace.env_file.exists():
        yield _secret(workspace.env_file)


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


def _supervisor(observed: Observed, absent: Sequence[str]) -> Finding:
    if isinstance(observed.processes, Unknown):
        return Finding(grade=Grade.FAIL, what=observed.processes.why, hint="see .botctl/logs/supervisord.log")
    if not observed.processes:
        return Finding(grade=Grade.OK, what="no supervisord runs; `botctl apply` starts one")
    if absent:
        return Finding(grade=Grade.FAIL, what=f"{', '.join(absent)} ended with its bots", hint="botctl apply")
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
        loaded = load_in_force(workspace)
    except ConfigInvalid as error:
        yield Finding(grade=Grade.FAIL, what=error.message, hint=error.hint or "")
        return
    if loaded.has_errors:
        yield Finding(grade=Grade.FAIL, what="the fleet's files have errors", hint="botctl validate")
    bots = [bot.spec for _, bot in sorted(loaded.bots.items())]
    for account in _accounts(bots):
        concerned = [bot for bot in bots if account.name in bot.accounts]
        yield _clock(workspace, account, way_out(workspace, concerned))
        yield _facts(workspace, account)


def _accounts(bots: list[BotSpec]) -> list[AccountSpec]:
    """One account per venue and environment that the bots trade in."""
    accounts = (bot.accounts[leg.account] for bot in bots for leg in bot.legs.values())
    return list({(account.venue, account.environment): account for account in accounts}.values())


def _clock(workspace: Workspace, account: AccountSpec, proxy: Proxy | None) -> Finding:
    where = f"{account.venue} ({account.environment})"
    try:
        offset_s = ask_through(proxy, lambda world: _clock_offset_s(world, workspace, account))
    except VenueError as error:
        return Finding(grade=Grade.WARN, what=f"{where} cannot be asked: {error.message}", hint=error.hint or "")
    if abs(offset_s) > CLOCK_LIMIT_S:
        return Finding(
            grade=Grade.WARN,
            what=f"the clock of {where} is {offset_s:+.2f} s from ours",
            hint="synchronise this host's clock; engines measure and allow for the difference",
        )
    return Finding(grade=Grade.OK, what=f"{where} answers; its clock is {offset_s:+.3f} s from ours")


async def _clock_offset_s(world: World, workspace: Workspace, account: AccountSpec) -> float:
    venue = configured_venue(account.venue, account.options)
    endpoints = account_endpoints(workspace, account, venue.facts)
    before_ns = world.now_ns()
    request = venue.server_time_request()
    response = await world.http(endpoints.rest_url, request, timeout_s=VENUE_TIMEOUT_S)
    middle_ns = (before_ns + world.now_ns()) // 2
    return (venue.decode_server_time(response) - middle_ns) / NS_PER_S


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
