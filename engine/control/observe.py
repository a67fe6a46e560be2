"""Reads the whole present of a fleet: supervisor, engines, holds, finished markers, generation. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.clock import iso_utc
from engine.control.backends.interface import Absent
from engine.control.fleet import Fleet, View
from engine.control.programs import subject_of
from engine.errors import BotctlError, StateDamaged, Unavailable
from engine.host.control_client import call_all
from engine.host.endpoints import read_sim_endpoint
from engine.host.finished import read_finished
from engine.host.generation import Generation, read_current, read_generation
from engine.host.holds import Hold, read_holds
from engine.host.workspace import Workspace
from engine.model.account import Stake
from engine.plan.actions import Subject
from engine.plan.observed import (
    Applied,
    Engine,
    Hedge,
    Held,
    Leg,
    Observed,
    Process,
    Risk,
    Simulator,
    Unknown,
)
from engine.spec.fingerprint import simulator_fingerprint
from engine.spec.types import BotSpec

ENGINE_TIMEOUT_S = 1.0


def observe(fleet: Fleet | View) -> Observed:
    """What is true now, each part Unknown where it could not be asked."""
    workspace = fleet.workspace
    generation = read_current(workspace)
    processes = observe_processes(fleet)
    return Observed(
        applied=_applied(generation),
        processes=processes if isinstance(processes, Unknown) else _of(processes, Subject.BOT),
        engines=observe_engines(workspace, generation),
        holds={name: _held(hold) for name, hold in read_holds(workspace).items()},
        finished=_finished(workspace),
        simulators=processes if isinstance(processes, Unknown) else _simulators(workspace, processes),
    )


def observe_processes(fleet: Fleet | View) -> Mapping[str, Process] | Unknown:
    """Programs by name; empty when no supervisor runs."""
    try:
        return fleet.backend.observe()
    except Absent:
        return {}
    except Unavailable as error:
        return Unknown(why=error.message)


def observe_engines(workspace: Workspace, generation: Generation | None) -> dict[str, Engine | Unknown]:
    """Everybody who listens on a control socket, asked in parallel; a dead engine's leftover socket is nobody."""
    sockets = {path.stem: path for path in sorted(workspace.runtime_dir.glob("*.sock"))}
    replies = call_all(sockets, "status", timeout_s=ENGINE_TIMEOUT_S)
    return {
        name: _engine(workspace, generation, name, reply)
        for name, reply in replies.items()
        if not _nobody_listens(reply)
    }


def _nobody_listens(reply: dict[str, Any] | BotctlError) -> bool:
    return isinstance(reply, BotctlError) and isinstance(
        reply.__cause__, ConnectionRefusedError | FileNotFoundError
    )


def _engine(
    workspace: Workspace, generation: Generation | None, name: str, reply: dict[str, Any] | BotctlError
) -> Engine | Unknown:
    if isinstance(reply, BotctlError):
        return Unknown(why=reply.message)
    try:
        engine = Engine(
            pid=reply["pid"],
            state=reply["state"],
            fingerprint=reply["fingerprint"],
            generation=reply.get("generation"),
            legs=msgspec.convert(reply.get("legs", {}), dict[str, Leg], strict=False),
            stakes=msgspec.convert(reply.get("stakes", {}), dict[str, Stake], strict=False),
            hedge=msgspec.convert(reply.get("hedge"), Hedge | None),
            risk=msgspec.convert(reply.get("risk"), Risk | None),
            keys=msgspec.convert(reply.get("keys", {}), dict[str, str]),
        )
    except (KeyError, msgspec.ValidationError) as error:
        return Unknown(why=f"its status cannot be understood: {error}")
    return msgspec.structs.replace(engine, spec=_running_spec(workspace, generation, name, engine))


def _running_spec(workspace: Workspace, current: Generation | None, name: str, engine: Engine) -> BotSpec | None:
    """The settings behind the fingerprint an engine reports, from the generation it read them in."""
    try:
        same = current is not None and current.number == engine.generation
        generation = current if same or engine.generation is None else read_generation(workspace, engine.generation)
    except StateDamaged:
        return None
    if generation is None or generation.fingerprints.get(name) != engine.fingerprint:
        return None
    return generation.bots[name]


def _applied(generation: Generation | None) -> Applied | None:
    if generation is None:
        return None
    return Applied(
        generation=generation.number,
        fleet=generation.fleet,
        bots=generation.bots,
        fingerprints=generation.fingerprints,
        simulators={venue: simulator_fingerprint(generation.fleet, venue) for venue in generation.fleet.sims},
    )


def _held(hold: Hold) -> Held:
    return Held(kind=hold.kind, who=hold.who, since=iso_utc(hold.since_ns), why=hold.why, trip=hold.trip)


def _finished(workspace: Workspace) -> dict[str, str]:
    names = sorted(file.stem for file in workspace.finished.glob("*.json"))
    return {name: done.fingerprint for name in names if (done := read_finished(workspace, name))}


def _of(processes: Mapping[str, Process], subject: Subject) -> dict[str, Process]:
    return {
        known[1]: process
        for program, process in processes.items()
        if (known := subject_of(program)) and known[0] is subject
    }


def _simulators(workspace: Workspace, processes: Mapping[str, Process]) -> dict[str, Simulator]:
    return {
        venue: Simulator(process=process, fingerprint=_simulated(workspace, venue, process))
        for venue, process in _of(processes, Subject.SIMULATOR).items()
    }


def _simulated(workspace: Workspace, venue: str, process: Process) -> str | None:
    """What the running simulator simulates, in its own words; None until it listens."""
    try:
        endpoint = read_sim_endpoint(workspace, venue)
    except Unavailable:
        return None
    return endpoint.fingerprint or None if endpoint.pid == process.pid else None
