"""What earlier versions saved is read by this one, means the same, and goes on. See tests/fixtures/README.md."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine.control.audit import record
from engine.control.backends.supervisor import supervisor_backend
from engine.control.chain import verify
from engine.control.desired import desired_again, desired_of, resolve_desired
from engine.control.fleet import Fleet
from engine.control.history import history
from engine.control.observe import observe
from engine.host.generation import kept_generations, read_current, read_generation
from engine.host.holds import read_holds
from engine.host.workspace import Workspace
from engine.plan.diff import diff
from engine.plan.observed import Applied, Engine, Observed, Simulator
from engine.spec.fingerprint import fingerprint
from tests.plan.fleets import process

RELEASES = sorted((Path(__file__).parents[1] / "fixtures" / "releases").iterdir())


@pytest.fixture(params=RELEASES, ids=lambda place: place.name)
def release(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """A release's workspace, as if it had been upgraded just now."""
    for name in ("bots", "templates"):
        shutil.copytree(request.param / name, tmp_path / name)
    workspace = Workspace(root=tmp_path)
    shutil.copytree(request.param / "state", workspace.state)
    current = workspace.current.read_text().strip()
    workspace.current.unlink()
    workspace.current.symlink_to(f"generations/{current}")
    shutil.copy(request.param / "running.json", tmp_path)
    return workspace


def as_it_ran(workspace: Workspace) -> Observed:
    """Every engine and simulator runs, and says what it said under its own version."""
    fleet = Fleet(workspace=workspace, backend=supervisor_backend(workspace), progress=lambda _line: None)
    seen = observe(fleet)
    assert isinstance(seen.applied, Applied)
    running = json.loads((workspace.root / "running.json").read_bytes())
    return Observed(
        applied=seen.applied,
        holds=seen.holds,
        processes=dict.fromkeys(running, process()),
        engines={
            name: Engine(pid=1, state="running", fingerprint=said, generation=seen.applied.generation, legs={})
            for name, said in running.items()
        },
        simulators={
            file.stem: Simulator(process=process(), fingerprint=json.loads(file.read_bytes())["fingerprint"])
            for file in workspace.sim.glob("*.json")
        },
    )


def test_the_files_of_a_release_plan_to_nothing_over_what_it_left_running(release: Workspace) -> None:
    seen = as_it_ran(release)
    assert len(seen.engines) >= 5 and seen.holds, "the kept fleet shows enough"
    plan = diff(resolve_desired(release, lambda _warning: None), seen)
    assert [(str(action.kind), action.name, action.reason) for action in plan.changes] == []


def test_every_generation_of_a_release_is_read_and_keeps_its_fingerprints(release: Workspace) -> None:
    numbers = kept_generations(release)
    assert numbers
    for number in numbers:
        generation = read_generation(release, number)
        assert {name: fingerprint(spec) for name, spec in generation.bots.items()} == generation.fingerprints
        assert desired_again(generation) == desired_of(generation)


def test_the_history_of_a_release_is_told(release: Workspace) -> None:
    current = read_current(release)
    assert current is not None
    past = history(release, 10)
    assert [one.number for one in past if one.is_current] == [current.number]
    assert all(one.who and one.started_at and one.result != "damaged" for one in past)


def test_the_holds_of_a_release_count(release: Workspace) -> None:
    assert all(hold.who and hold.why for hold in read_holds(release).values())


def test_the_audit_log_of_a_release_goes_on(release: Workspace) -> None:
    before = release.audit_log.read_bytes()
    record(release, "apply", result="done")
    after = release.audit_log.read_bytes()
    assert after.startswith(before) and not verify(after).broken
