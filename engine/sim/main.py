"""`botctl-sim STATE_DIR VENUE`: the program supervisor starts for every simulated venue of a fleet."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from engine.errors import BotctlError, ConfigInvalid, StateDamaged, UsageError
from engine.host.process import die_with_parent
from engine.host.workspace import Workspace, workspace_of_state
from engine.sim.logs import log_to
from engine.sim.program import run_in_workspace
from engine.spec.types import FleetSpec

LOCK_WAIT_S = 20.0


def main() -> int:
    """Returns the exit code."""
    try:
        die_with_parent()
        _run(sys.argv[1:])
    except BotctlError as error:
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return error.exit_code
    return 0


def _run(arguments: list[str]) -> None:
    if len(arguments) != 2:
        raise UsageError("usage: botctl-sim STATE_DIR VENUE", hint="people use `botctl sim`")
    workspace, venue = workspace_of_state(Path(arguments[0])), arguments[1]
    fleet = _applied_fleet(workspace)
    if venue not in fleet.sims:
        known = ", ".join(sorted(fleet.sims)) or "none"
        raise ConfigInvalid(f"the applied fleet simulates no {venue}", hint=f"simulated venues: {known}")
    log_to(workspace.logs / f"sim-{venue}.jsonl")
    run_in_workspace(workspace, fleet, venue, port=0, lock_wait_s=LOCK_WAIT_S, tell=_print)


def _applied_fleet(workspace: Workspace) -> FleetSpec:
    """Only the fleet of the current generation: its thousand bots do not concern a venue."""
    file = workspace.current / "fleet.json"
    try:
        return msgspec.json.decode(file.read_bytes(), type=FleetSpec)
    except OSError as error:
        raise ConfigInvalid(f"nothing is applied: {file} cannot be read", hint="botctl apply") from error
    except msgspec.MsgspecError as error:
        raise StateDamaged(f"applied state {file} cannot be trusted: {error}", hint="botctl apply") from error


def _print(rest_url: str, ws_url: str) -> None:
    print(f"serving {rest_url} and {ws_url}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
