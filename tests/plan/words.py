"""Reads what a case says is declared, was applied and is seen. Bots are told by what differs from the usual."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.plan.observed import Observed, Unknown
from tests.plan import fleets


def specs(bots: dict[str, Any] | None) -> list[Any]:
    return [fleets.spec(name, **(changes or {})) for name, changes in (bots or {}).items()]


def desired(words: dict[str, Any]) -> Any:
    policy = fleets.rollout(**words["rollout"]) if "rollout" in words else None
    return fleets.desired(*specs(words.get("declared")), sim_seed=words.get("sim_seed"), policy=policy)


def observed(words: dict[str, Any]) -> Observed:
    applied = specs(words.get("applied"))
    seen = words.get("seen", {})
    if not applied and not seen:
        return Observed()
    quiet = fleets.running(*applied, sim_seed=words.get("applied_sim_seed"))
    processes, engines, holds, finished = dict(quiet.processes), dict(quiet.engines), {}, {}
    for name, facts in seen.items():
        one = next((spec for spec in applied if spec.name == name), fleets.spec(name))
        engines.pop(name, None)
        processes.pop(name, None)
        if "process" in facts:
            processes[name] = fleets.process(**facts["process"])
        if "engine" in facts:
            runs = fleets.spec(name, **facts.pop("runs", {})) if "runs" in facts else one
            engines[name] = (
                Unknown(why="timed out") if facts["engine"] == "mute" else fleets.engine(runs, **facts["engine"])
            )
        if "hold" in facts:
            holds[name] = fleets.held(facts["hold"])
        if facts.get("finished"):
            finished[name] = quiet.applied.fingerprints[name]
    mute = words.get("supervisor") == "mute"
    return msgspec.structs.replace(
        quiet,
        processes=Unknown(why="timed out") if mute else processes,
        engines=engines,
        holds=holds,
        finished=finished,
        simulators=Unknown(why="timed out") if mute else quiet.simulators,
    )
