"""Every file in tests/cases/plan is one plan: what is declared, what is seen, and how the plan reads.

A case says `declared` bots (with what differs from the usual one), `applied` bots, and per bot what was `seen`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml

from engine.plan.diff import diff
from engine.plan.document import plan_document
from engine.plan.observed import Observed, Unknown
from engine.plan.render import Density, render
from engine.resources import resource
from tests.plan import fleets

CASES = sorted((Path(__file__).parents[1] / "cases" / "plan").glob("*.yaml"))
SCHEMA = msgspec.json.decode(resource("schemas", "plan.schema.json").read_bytes())


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_plan_reads_as_its_case_says(case: Path) -> None:
    words = yaml.safe_load(case.read_text())
    plan = diff(_desired(words), _observed(words))
    assert render(plan, density=Density[words.get("density", "lines").upper()]) == words["text"].rstrip("\n")


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_plan_as_json_fits_its_schema(case: Path) -> None:
    words = yaml.safe_load(case.read_text())
    plan = diff(_desired(words), _observed(words))
    document = msgspec.json.decode(msgspec.json.encode(plan_document(plan)))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert document["has_changes"] is words["changes"]


def _specs(bots: dict[str, Any] | None) -> list[Any]:
    return [fleets.spec(name, **(changes or {})) for name, changes in (bots or {}).items()]


def _desired(words: dict[str, Any]) -> Any:
    policy = fleets.rollout(**words["rollout"]) if "rollout" in words else None
    return fleets.desired(*_specs(words.get("declared")), sim_seed=words.get("sim_seed"), policy=policy)


def _observed(words: dict[str, Any]) -> Observed:
    specs = _specs(words.get("applied"))
    seen = words.get("seen", {})
    if not specs and not seen:
        return Observed()
    quiet = fleets.running(*specs, sim_seed=words.get("applied_sim_seed"))
    processes, engines, holds, finished = dict(quiet.processes), dict(quiet.engines), {}, {}
    for name, facts in seen.items():
        one = next((spec for spec in specs if spec.name == name), fleets.spec(name))
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
