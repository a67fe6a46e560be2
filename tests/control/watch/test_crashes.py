"""kill -9 of a watch in the middle of what it does, against a real supervisord: the next watch finishes the job."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.control.chain import verify
from engine.control.fleet import Fleet
from engine.control.history import history
from engine.control.lock import writing
from engine.control.watch.session import watch_once
from engine.control.watch.state import Result, lock_file, read_status
from engine.host.facts import write_facts
from engine.host.generation import current_number, read_current
from engine.host.locks import is_free
from engine.host.secrets import Secrets
from engine.sim.venues import simulated_markets
from engine.spec.facts import VenueMarkets
from engine.spec.types import Environment
from tests.control.outside import run_module
from tests.control.test_crashes import runners
from tests.control.watch.doomed_watch import spec_of
from tests.control.watch.repository import FLEET, Repository, bot

SLICES = 2
"""Each with a fleet of its own, so that they share the processors."""
STRIDE = 10
"""An apply is killed before each step elsewhere; here before each fifth, and in what a watch does around it."""
STEPS_MAX = 400

MARKETS = {"eth": "ETH_USDC", "new": "BTC_USDC", "old": "BTC_USDC", "sol": "SOL_USDC"}
COMMITS = ({"eth": 8, "sol": 8, "old": 8}, {"eth": 8, "sol": 12, "new": 8})
"""From one to the other and back: one bot as it was, one changed in place, one gone and a new one."""


@pytest.fixture
def repository(fleet: Fleet) -> Iterator[Repository]:
    folder = Path(tempfile.mkdtemp(prefix="repository "))
    markets = VenueMarkets(fetched_at_ns=0, instruments=simulated_markets("backpack"))
    write_facts(fleet.workspace, "backpack", Environment.TESTNET, markets)
    yield Repository(folder / "fleet")
    shutil.rmtree(folder)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("start", range(1, SLICES + 1))
def test_a_watch_killed_at_some_step_is_finished_by_the_next(
    fleet: Fleet, repository: Repository, start: int
) -> None:
    commit(repository, 0)
    look(fleet, repository)
    for turn, step in enumerate(range(start * STRIDE // SLICES, STEPS_MAX, STRIDE), 1):
        wanted = commit(repository, turn)
        killed = doomed(fleet, repository, step)
        is_told(fleet)
        look(fleet, repository)
        is_finished(fleet, wanted, COMMITS[turn % 2])
        if not killed:
            assert turn > 3, "a watch that is over so soon was never in the middle"
            return
    raise AssertionError("a look never ends")


def commit(repository: Repository, turn: int) -> str:
    bots = {name: bot(name, spread_bps=spread, market=MARKETS[name]) for name, spread in COMMITS[turn % 2].items()}
    gone = dict.fromkeys(set(COMMITS[1 - turn % 2]) - set(bots)) if turn else {}
    files = {f"bots/{name}.yaml": text for name, text in {**gone, **bots}.items()}
    return repository.commit({"bots/fleet.yaml": f"{FLEET}sentinel: {{enabled: false}}\n", **files}, f"turn {turn}")


def doomed(fleet: Fleet, repository: Repository, step: int) -> bool:
    """A look that is killed before one of its steps; False when it was over by then."""
    root = str(fleet.workspace.root)
    done = run_module("tests.control.watch.doomed_watch", root, f"{root}/engine", repository.url, str(step))
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def look(fleet: Fleet, repository: Repository) -> None:
    """What the killed one had only just started may be stopped before it can hear that it is asked to; a watch
    tries that again by itself."""
    for _ in range(2):
        verdict = watch_once(fleet, spec_of(repository.url), Secrets(fleet.workspace, shell={}))
        if verdict.result is Result.APPLIED:
            return
        assert "did not finish the stop procedure" in verdict.why
    raise AssertionError(verdict.why)


def is_told(fleet: Fleet) -> None:
    """Both locks went with the process, and what it wrote can be read."""
    assert writing(fleet.workspace) is None and is_free(lock_file(fleet.workspace))
    assert not verify(fleet.workspace.audit_log.read_bytes()).broken
    assert read_status(fleet.workspace) is not None and read_current(fleet.workspace) is not None


def is_finished(fleet: Fleet, wanted: str, bots: dict[str, int]) -> None:
    assert runners(fleet) == Counter(bots.keys()), "one runner each, none doubled, none left"
    generation, status = read_current(fleet.workspace), read_status(fleet.workspace)
    assert generation is not None and status is not None
    assert {name: one.strategy.parameters["spread_bps"] for name, one in generation.bots.items()} == bots
    assert (status.result, status.applied_commit) == (Result.APPLIED, wanted)
    assert not verify(fleet.workspace.audit_log.read_bytes()).broken
    newest = history(fleet.workspace, 1)[0]
    assert newest.is_current and newest.result == "applied" and newest.number == current_number(fleet.workspace)
