"""Where an account's venue listens. A simulated venue tells where when it starts; the others are known.

Sessions ask again at every connect, so a simulator that came back on another port is found.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.errors import ConfigInvalid, Unavailable
from engine.exchanges.interface import Endpoints, VenueFacts
from engine.host.files import read_if_present, write_atomic
from engine.host.process import is_alive
from engine.host.workspace import Workspace
from engine.model.value import Value
from engine.spec.types import AccountSpec, Environment


class SimEndpoint(Value, frozen=True, kw_only=True):
    """`.botctl/sim/<venue>.json`: a running simulator. Another `instance` is another world."""

    instance: str
    rest_url: str
    ws_url: str
    pid: int
    fingerprint: str = ""
    """What it simulates (`simulator_fingerprint`), so that a plan sees one that still runs older settings."""


def sim_file(workspace: Workspace, venue: str) -> Path:
    return workspace.sim / f"{venue}.json"


def write_sim_endpoint(workspace: Workspace, venue: str, endpoint: SimEndpoint) -> None:
    """Tell where a simulator listens; called by the simulator itself once it does."""
    write_atomic(sim_file(workspace, venue), msgspec.json.encode(endpoint))


def read_sim_endpoint(workspace: Workspace, venue: str) -> SimEndpoint:
    """Where the venue's simulator listens; Unavailable when none does, or its file is a dead one's."""
    endpoint = last_sim_endpoint(workspace, venue)
    if not is_alive(endpoint.pid):
        raise _no_simulator(venue, f"its process {endpoint.pid} is gone")
    return endpoint


def last_sim_endpoint(workspace: Workspace, venue: str) -> SimEndpoint:
    """Where the venue's simulator listens or listened last; Unavailable when none ever did."""
    content = read_if_present(sim_file(workspace, venue))
    if content is None:
        raise _no_simulator(venue, "its file is missing")
    try:
        return msgspec.json.decode(content, type=SimEndpoint)
    except msgspec.MsgspecError as error:
        raise _no_simulator(venue, "its file is damaged") from error


def account_endpoints(workspace: Workspace, account: AccountSpec, facts: VenueFacts) -> Endpoints:
    """Where the account's venue listens now: its own URLs, else the simulator's, else the venue's known ones."""
    if account.environment is Environment.SIM and not account.rest_url:
        sim = read_sim_endpoint(workspace, account.venue)
        return Endpoints(rest_url=sim.rest_url, ws_url=sim.ws_url)
    known = facts.endpoints.get(account.environment)
    rest_url = account.rest_url or (known and known.rest_url)
    ws_url = account.ws_url or (known and known.ws_url)
    if not rest_url or not ws_url:
        raise ConfigInvalid(
            f"account {account.name}: {account.venue} has no known {account.environment} addresses",
            hint=f"set accounts.{account.name}.rest_url and .ws_url in bots/fleet.yaml",
        )
    return Endpoints(rest_url=rest_url, ws_url=ws_url)


def _no_simulator(venue: str, why: str) -> Unavailable:
    return Unavailable(
        f"no simulated {venue} is running: {why}",
        hint=f"`botctl apply` starts the fleet's simulators; `botctl sim {venue}` runs one in the foreground",
    )
