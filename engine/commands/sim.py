"""`botctl sim`: a simulated venue in the foreground, for people and their own clients.

Inside a workspace it serves the fleet's accounts and tells engines where it listens, like the one `apply` starts;
elsewhere it serves two accounts of its own.
"""

from __future__ import annotations

import logging
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import httpx
import msgspec
import typer

from engine.commands.options import Directory
from engine.control.desired import load_in_force
from engine.errors import ConfigInvalid, Unavailable, UsageError
from engine.host.endpoints import read_sim_endpoint
from engine.host.workspace import Workspace, find_workspace
from engine.sim.faults import CONTROL_TARGET
from engine.sim.hints import own_balances, usage
from engine.sim.program import recording_of, run, run_in_workspace
from engine.sim.venues import SIMULATED, account_credentials, build_machine
from engine.spec.types import FleetSpec, SimSpec

OWN_FLEET = "sim"


def command(
    venue: Annotated[str, typer.Argument(help="which venue to simulate")] = SIMULATED[0],
    directory: Directory = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one")] = 0,
    seed: Annotated[int | None, typer.Option(help="another seed, another market")] = None,
    speed: Annotated[float | None, typer.Option(min=0, help="pace of the market; 0 leaves the books empty")] = None,
    faults: Annotated[
        str | None,
        typer.Option(metavar="NAME=VALUE,…", help="switch the running simulator's faults; `none` ends them"),
    ] = None,
    account: Annotated[
        list[str] | None, typer.Option(metavar="NAME=ASSET:AMOUNT,…", help="instead of the fleet's accounts")
    ] = None,
) -> None:
    """Simulate a venue until Ctrl-C."""
    if venue not in SIMULATED:
        raise UsageError(f"{venue} cannot be simulated", hint=f"simulated venues: {', '.join(SIMULATED)}")
    workspace = _workspace(directory)
    if faults is not None:
        print(_switch(workspace, venue, faults))
        return
    fleet = _fleet(workspace, venue)
    spec = _changed(fleet.sims[venue], seed, speed, account)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")

    def tell(rest_url: str, ws_url: str) -> None:
        print(f"simulated {venue} at {rest_url} and {ws_url}\n")
        for name, balances in spec.accounts.items():
            print(_account_text(spec.venue, fleet.id, name, balances))
        print(usage(venue, rest_url, ws_url), flush=True)

    if workspace is None:
        run(build_machine(spec, fleet.id, recording_of(spec, Path())), port=port, linger_s=0, tell=tell)
        return
    fleet = msgspec.structs.replace(fleet, sims={**fleet.sims, venue: spec})
    run_in_workspace(workspace, fleet, venue, port=port, lock_wait_s=0, tell=tell)


def _workspace(directory: Path | None) -> Workspace | None:
    try:
        return find_workspace(directory)
    except UsageError:
        if directory is not None:
            raise
        return None


def _switch(workspace: Workspace | None, venue: str, faults: str) -> str:
    """What is in force now, as JSON, at the simulator that runs in the workspace."""
    if workspace is None:
        raise UsageError("no workspace here, so no simulator is known", hint="POST to its /__sim__/faults instead")
    url = read_sim_endpoint(workspace, venue).rest_url + CONTROL_TARGET
    changes = None if faults == "none" else dict(map(_read_fault, faults.split(",")))
    try:
        answer = httpx.request("POST" if changes else "DELETE", url, json=changes, trust_env=False)
    except httpx.HTTPError as error:
        raise Unavailable(f"the simulated {venue} does not answer: {error}") from error
    if answer.status_code != httpx.codes.OK:
        raise UsageError(f"--faults {faults!r}: {answer.json()['message']}", hint="see `botctl schema fleet`")
    return answer.text


def _read_fault(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), int(value) if value.isdigit() else float(value)
    except ValueError as error:
        raise UsageError(
            f"--faults {text!r} cannot be read", hint="for example --faults drop=0.1,slow=1"
        ) from error


def _fleet(workspace: Workspace | None, venue: str) -> FleetSpec:
    """The workspace's fleet, or one with nothing but two simulated accounts."""
    if workspace is None:
        return FleetSpec(id=OWN_FLEET, live_allowed=False, accounts={}, sims={venue: _own_spec(venue)})
    fleet = load_in_force(workspace).fleet
    if fleet is None:
        raise ConfigInvalid("the fleet's files have errors", hint="`botctl validate` shows them")
    return fleet if venue in fleet.sims else msgspec.structs.replace(fleet, sims={venue: _own_spec(venue)})


def _own_spec(venue: str) -> SimSpec:
    return SimSpec(
        venue=venue,
        seed=1,
        speed=Decimal(1),
        latency_ms=0,
        taker_delay_ms=100,
        recording=None,
        accounts=dict.fromkeys(("alice", "bob"), own_balances(venue)),
    )


def _changed(spec: SimSpec, seed: int | None, speed: float | None, accounts: list[str] | None) -> SimSpec:
    """The spec with what the command line says."""
    return msgspec.structs.replace(
        spec,
        seed=spec.seed if seed is None else seed,
        speed=spec.speed if speed is None else Decimal(str(speed)),
        accounts=dict(_read_account(spec.venue, text) for text in accounts) if accounts else spec.accounts,
    )


def _read_account(venue: str, text: str) -> tuple[str, dict[str, Decimal]]:
    """`NAME=USDC:1000,SOL:5`; a bare NAME owns what the default accounts own."""
    name, _, holdings = text.partition("=")
    if not holdings:
        return name, own_balances(venue)
    try:
        pairs = [holding.split(":") for holding in holdings.split(",")]
        return name, {asset: Decimal(amount) for asset, amount in pairs}
    except (ValueError, InvalidOperation) as error:
        raise UsageError(
            f"--account {text!r} cannot be read", hint="for example --account carol=USDC:1000,SOL:5"
        ) from error


def _account_text(venue: str, fleet_id: str, name: str, balances: dict[str, Decimal]) -> str:
    credentials = account_credentials(venue, fleet_id, name)
    owned = ", ".join(f"{amount:f} {asset}" for asset, amount in balances.items())
    keys = "\n".join(f"  {field:<10} {value}" for field, value in credentials.items())
    return f"account {name}: {owned}\n{keys}"
