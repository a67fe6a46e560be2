"""What a watch does with commits, against a real repository, a real supervisord, and engines that only pretend."""

from __future__ import annotations

import dataclasses
import random
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine.control.apply import apply
from engine.control.desired import desired_again, resolve_desired
from engine.control.down import take_down
from engine.control.fleet import Fleet
from engine.control.generations import Deed
from engine.control.history import find_generation, past_of
from engine.control.lock import writer_lock
from engine.control.status import watch_words
from engine.control.watch import attempt, session, state
from engine.control.watch.reports import Reports
from engine.control.watch.session import watch_once
from engine.control.watch.settings import Options, address_of, watch_spec
from engine.control.watch.state import Result, WatchStatus, forget, read_status, read_wishes, resume, suspend
from engine.control.watch.watcher import Rim, Watcher
from engine.errors import Locked, UsageError
from engine.host.facts import write_facts
from engine.host.generation import current_number, read_current
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.plan.drift.findings import Drift, Finding, Kind, Means, Way
from engine.sim.venues import simulated_markets
from engine.spec.facts import VenueMarkets
from engine.spec.types import Environment, WatchSpec
from tests.control.outside import pids
from tests.control.watch.repository import FLEET, Repository, bot
from tests.fleets import fleet_spec, write_generation

START_S = 1_800_000_000.0


class Watched:
    """A repository and a watcher of it, under a clock of their own."""

    def __init__(self, fleet: Fleet, repository: Repository) -> None:
        self.fleet = fleet
        self.repository = repository
        self.spec = WatchSpec(repo=repository.url, branch="main", interval_s=Decimal(10), require_signed=False)
        self.now_s = START_S
        self.rim = Rim(
            fleet=fleet,
            settings=lambda: self.spec,
            reports=Reports(Secrets(fleet.workspace, shell={}), "lab"),
            now_s=lambda: self.now_s,
            steady_s=lambda: self.now_s,
            sleep=lambda _s: None,
            chance=random.Random(1),
        )
        self.watcher = Watcher(self.rim)

    def look(self, *, after_s: float = 0.0) -> WatchStatus:
        self.now_s += after_s
        self.watcher.look(self.spec)
        status = read_status(self.fleet.workspace)
        assert status is not None
        return status

    def spreads(self) -> dict[str, Any]:
        generation = read_current(self.fleet.workspace)
        assert generation is not None
        return {name: spec.strategy.parameters["spread_bps"] for name, spec in generation.bots.items()}

    def by_hand(self, *files: str, deed: Deed | None = None) -> None:
        """Apply these bots from the workspace's own folder."""
        bots = self.fleet.workspace.bots
        shutil.rmtree(bots, ignore_errors=True)
        bots.mkdir()
        (bots / "fleet.yaml").write_text(FLEET)
        for number, text in enumerate(files):
            (bots / f"bot-{number}.yaml").write_text(text)
        desired = resolve_desired(self.fleet.workspace, lambda _line: None)
        apply(self.fleet, desired, lambda _plan: None, deed=deed or Deed())


@pytest.fixture
def watched(fleet: Fleet) -> Iterator[Watched]:
    folder = Path(tempfile.mkdtemp(prefix="repository "))
    write_facts(
        fleet.workspace,
        "backpack",
        Environment.TESTNET,
        VenueMarkets(fetched_at_ns=0, instruments=simulated_markets("backpack")),
    )
    yield Watched(fleet, Repository(folder / "fleet"))
    shutil.rmtree(folder)


def test_a_commit_is_applied_and_the_history_names_it(watched: Watched) -> None:
    commit = watched.repository.commit({"bots/fleet.yaml": FLEET, "bots/sol.yaml": bot("sol")}, "sol begins")
    status = watched.look()
    assert (status.why, status.result, status.commit) == ("", Result.APPLIED, commit)
    assert set(pids(watched.fleet)) == {"sol"}
    past = past_of(watched.fleet.workspace, 1)
    assert (past.verb, past.why, past.commit) == ("watch", f"{commit[:12]} sol begins", commit)
    assert not watched.fleet.workspace.bots.exists(), "nothing is checked out where people work"


def test_a_bad_commit_is_refused_with_its_line_and_the_fix_is_applied_at_once(watched: Watched) -> None:
    good = watched.repository.commit({"bots/fleet.yaml": FLEET, "bots/sol.yaml": bot("sol")})
    watched.look()
    before = pids(watched.fleet)
    bad = watched.repository.commit({"bots/sol.yaml": bot("sol").replace("spread_bps: 8", "spread_bps: -8")})
    status = watched.look(after_s=10)
    assert (status.result, status.commit, status.applied_commit) == (Result.REFUSED, bad, good)
    assert "bots/sol.yaml:3" in status.why and status.next_try_at is not None
    assert watched.spreads() == {"sol": 8} and pids(watched.fleet) == before, "the old fleet goes on"
    fix = watched.repository.commit({"bots/sol.yaml": bot("sol", spread_bps=12)})
    status = watched.look()
    assert (status.why, status.result, status.applied_commit) == ("", Result.APPLIED, fix)
    assert watched.spreads() == {"sol": 12} and pids(watched.fleet) == before, "changed in place"


def test_what_does_not_work_is_tried_later_and_later_and_something_new_at_once(watched: Watched) -> None:
    watched.repository.commit({"bots/fleet.yaml": "id: lab\n"})
    tries = [watched.look(after_s=10).attempts for _ in range(200)]
    assert tries[0] == 1 and tries == sorted(tries)
    assert 5 < tries[-1] < 30, "two hundred looks, few attempts"
    watched.repository.commit({"bots/fleet.yaml": "id: lab\naccounts: 7\n"})
    assert watched.look().attempts == 1
    watched.repository.commit({"bots/fleet.yaml": FLEET, "bots/sol.yaml": bot("sol")})
    status = watched.look()
    assert (status.why, status.attempts, status.next_try_at) == ("", 0, None)


def test_a_rollback_is_not_undone_until_somebody_says_so(watched: Watched) -> None:
    watched.repository.commit({"bots/fleet.yaml": FLEET, "bots/sol.yaml": bot("sol")})
    watched.look()
    watched.repository.commit({"bots/sol.yaml": bot("sol", spread_bps=12)})
    watched.look()
    workspace = watched.fleet.workspace
    back = desired_again(find_generation(workspace, 1))
    apply(watched.fleet, back, lambda _plan: None, deed=Deed(verb="rollback", came_from=1))
    status = watched.look(after_s=1000)
    assert status.result is Result.WAITING and "is a rollback to 1" in status.why
    watched.repository.commit({"bots/sol.yaml": bot("sol", spread_bps=14)})
    assert watched.look().result is Result.WAITING, "nor by a newer commit"
    assert watched.spreads() == {"sol": 8}
    resume(workspace, [], generation=current_number(workspace))
    assert watched.look().result is Result.APPLIED
    assert watched.spreads() == {"sol": 14}


def test_a_rollback_of_its_own_is_answered_by_another_commit_and_by_no_second_try(watched: Watched) -> None:
    rolled = f"{FLEET}rollout: {{health_timeout_s: 10, max_unavailable: 1}}\n"
    watched.repository.commit({"bots/fleet.yaml": FLEET, "bots/sol.yaml": bot("sol")})
    watched.look()
    fake = watched.fleet.workspace.state / "fake"
    fake.mkdir()
    (fake / "sol").write_text("exit 4")
    watched.repository.commit({"bots/fleet.yaml": rolled, "bots/sol.yaml": bot("sol", market="ETH_USDC")})
    status = watched.look()
    assert status.result is Result.FAILED and "rollback" in status.why
    number = current_number(watched.fleet.workspace)
    status = watched.look(after_s=1000)
    assert status.result is Result.WAITING and "is a rollback to 1" in status.why
    assert current_number(watched.fleet.workspace) == number
    (fake / "sol").unlink()
    watched.repository.commit({"bots/fleet.yaml": FLEET, "bots/sol.yaml": bot("sol", spread_bps=9)})
    status = watched.look()
    assert (status.why, status.result) == ("", Result.APPLIED)


def test_what_somebody_applied_by_hand_stays_until_the_next_commit(watched: Watched) -> None:
    watched.repository.commit({"bots/fleet.yaml": FLEET, "bots/sol.yaml": bot("sol")})
    watched.look()
    watched.by_hand(bot("sol", spread_bps=20))
    status = watched.look(after_s=10)
    assert status.result is Result.WAITING and "generation 2 in force is by" in status.why
    assert watched.spreads() == {"sol": 20}
    watched.repository.commit({"bots/sol.yaml": bot("sol", spread_bps=21)})
    assert watched.look().result is Result.APPLIED
    assert watched.spreads() == {"sol": 21}


def test_drift_that_needs_a_person_keeps_new_settings_waiting_and_lets_old_ones_come_back(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = dict.fromkeys(Way, Means(words="as you say"))
    finding = Finding(
        kind=Kind.FOREIGN_ORDER,
        bot="sol",
        expected="none",
        found="one",
        source="venue",
        needs_person=True,
        means=ways,
    )
    findings: list[Finding] = []

    def look(*_: object) -> Drift:
        return Drift(fleet="lab", generation=1, looked_at="", findings=tuple(findings))

    monkeypatch.setattr(attempt, "look_at", look)
    watched.repository.commit({"bots/fleet.yaml": FLEET, "bots/sol.yaml": bot("sol")})
    watched.look()
    findings.append(finding)
    take_down(watched.fleet)
    status = watched.look(after_s=10)
    assert (status.why, status.result) == ("", Result.APPLIED), "what was in force is restored"
    assert set(pids(watched.fleet)) == {"sol"}
    watched.repository.commit({"bots/sol.yaml": bot("sol", spread_bps=12)})
    status = watched.look()
    assert status.result is Result.WAITING and finding.id in status.why and "botctl drift" in status.hint
    assert watched.spreads() == {"sol": 8}
    findings[0] = replace(finding, needs_person=False)
    assert watched.look(after_s=1000).result is Result.APPLIED, "an apply is what corrects it"
    assert watched.spreads() == {"sol": 12}


def test_a_lock_that_somebody_holds_is_waited_for(watched: Watched) -> None:
    watched.repository.commit({"bots/fleet.yaml": FLEET, "bots/sol.yaml": bot("sol")})
    with writer_lock(watched.fleet.workspace, "apply"):
        status = watched.look()
    assert status.result is Result.WAITING and "is changing this fleet" in status.why
    assert watched.look(after_s=1000).result is Result.APPLIED


def test_a_suspended_bot_is_left_as_it_is_whatever_commits_say_of_it(watched: Watched) -> None:
    files = {"bots/fleet.yaml": FLEET, "bots/eth.yaml": bot("eth", market="ETH_USDC"), "bots/sol.yaml": bot("sol")}
    watched.repository.commit(files)
    watched.look()
    before = pids(watched.fleet)
    workspace = watched.fleet.workspace
    suspend(workspace, ["sol"], why="a test", at="now")
    watched.repository.commit(
        {"bots/eth.yaml": bot("eth", market="ETH_USDC", spread_bps=9), "bots/sol.yaml": bot("sol", spread_bps=9)}
    )
    status = watched.look()
    assert (status.why, status.result, status.suspended) == ("", Result.APPLIED, ("sol",))
    assert watched.spreads() == {"eth": 9, "sol": 8}
    watched.repository.commit({"bots/sol.yaml": None})
    watched.look()
    assert pids(watched.fleet) == before, "not even its file's end reaches it"
    resume(workspace, ["sol"], generation=None)
    watched.look()
    assert set(pids(watched.fleet)) == {"eth"}


def test_two_people_who_suspend_bots_at_once_are_both_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, write = Workspace(root=tmp_path), state.write_atomic
    workspace.state.mkdir()
    ann, bob = (
        threading.Thread(target=suspend, args=(workspace, [name]), kwargs={"why": "", "at": "now"})
        for name in ("eth", "sol")
    )

    def slowly(path: Path, content: bytes, *, durable: bool) -> None:
        if threading.current_thread() is ann:
            bob.start()
            bob.join(timeout=0.5)
        write(path, content, durable=durable)

    monkeypatch.setattr(state, "write_atomic", slowly)
    ann.start()
    ann.join()
    bob.join()
    assert set(read_wishes(workspace).bots) == {"eth", "sol"}


def test_a_watch_that_is_suspended_as_a_whole_applies_nothing(watched: Watched) -> None:
    watched.repository.commit({"bots/fleet.yaml": FLEET, "bots/sol.yaml": bot("sol")})
    suspend(watched.fleet.workspace, [], why="holidays", at="now")
    status = watched.look()
    assert status.result is Result.WAITING and "holidays" in status.why
    assert current_number(watched.fleet.workspace) is None
    resume(watched.fleet.workspace, [], generation=None)
    assert watched.look().result is Result.APPLIED


def test_what_yes_does_not_cover_waits_for_a_person_or_for_the_fleets_own_word(watched: Watched) -> None:
    watched.repository.commit({"bots/fleet.yaml": FLEET, "bots/sol.yaml": bot("sol")})
    watched.look()
    overlay = {"envs/paper/sol.yaml": "strategy: {spread_bps: 30}\n"}
    watched.repository.commit({"bots/fleet.yaml": f"env: paper\n{FLEET}", **overlay})
    status = watched.look()
    assert status.result is Result.WAITING and "environment" in status.why
    assert watched.spreads() == {"sol": 8}
    watched.spec = replace(watched.spec, accept=("env",))
    assert watched.look().result is Result.APPLIED
    assert watched.spreads() == {"sol": 30}


def test_a_commit_without_any_bot_stops_nothing(watched: Watched) -> None:
    watched.repository.commit({"bots/fleet.yaml": FLEET, "bots/sol.yaml": bot("sol")})
    watched.look()
    watched.repository.commit({"bots/sol.yaml": None})
    status = watched.look()
    assert status.result is Result.WAITING and "declares no bot" in status.why
    assert set(pids(watched.fleet)) == {"sol"}


def test_a_repository_that_does_not_answer_leaves_the_fleet_alone(watched: Watched) -> None:
    commit = watched.repository.commit({"bots/fleet.yaml": FLEET, "bots/sol.yaml": bot("sol")})
    watched.look()
    aside = watched.repository.folder.with_name("aside")
    watched.repository.folder.rename(aside)
    status = watched.look(after_s=10)
    assert (status.result, status.applied_commit) == (Result.UNREACHABLE, commit)
    assert "git fetch" in status.why
    assert set(pids(watched.fleet)) == {"sol"}
    aside.rename(watched.repository.folder)
    assert watched.look(after_s=10).result is Result.APPLIED


def test_only_a_signed_commit_is_applied_where_that_is_asked_for(watched: Watched) -> None:
    key = watched.repository.folder.with_name("key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    signers = watched.fleet.workspace.root / "signers"
    signers.write_text(f"ann@example.invalid {key.with_suffix('.pub').read_text()}")
    watched.repository.git("config", "gpg.format", "ssh")
    watched.repository.git("config", "user.signingKey", str(key))
    watched.spec = replace(watched.spec, require_signed=True, allowed_signers="signers")
    watched.repository.commit({"bots/fleet.yaml": FLEET, "bots/sol.yaml": bot("sol")})
    status = watched.look()
    assert status.result is Result.REFUSED and "no signature that counts" in status.why
    assert current_number(watched.fleet.workspace) is None
    watched.repository.commit({}, "signed", "--allow-empty", "-S")
    status = watched.look()
    assert (status.why, status.result) == ("", Result.APPLIED)
    signers.write_text(
        "bob@example.invalid ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFsT7LVm4qJyqPEO4J5SW0KUuoQ1x6PzBfUKmVqgqY8t\n"
    )
    watched.repository.commit({"bots/sol.yaml": bot("sol", spread_bps=9)}, "signed by a stranger", "-S")
    assert watched.look().result is Result.REFUSED
    assert watched.spreads() == {"sol": 8}


def test_a_commit_cannot_switch_its_own_check_off(watched: Watched) -> None:
    """What counts is `watch:` of the fleet in force, and no other."""
    strict = replace(watched.spec, require_signed=True)
    write_generation(watched.fleet.workspace, {}, fleet=replace(fleet_spec(), watch=strict))
    spec = watch_spec(watched.fleet.workspace, Options())
    assert spec is not None
    watched.spec = spec
    lax = f"{FLEET}watch: {{repo: '{watched.repository.url}', require_signed: false}}\n"
    watched.repository.commit({"bots/fleet.yaml": lax, "bots/sol.yaml": bot("sol")})
    assert watched.look().result is Result.REFUSED


def test_options_come_over_the_fleets_own_words(watched: Watched) -> None:
    workspace = watched.fleet.workspace
    assert watch_spec(workspace, Options()) is None
    spec = watch_spec(workspace, Options(repo="../here", interval_s=5, accept=("mainnet",)))
    assert spec is not None
    assert (spec.repo, spec.branch, spec.interval_s, spec.accept) == ("../here", "main", 5, ("mainnet",))


@pytest.mark.parametrize("address", ["https://host/fleet.git", "git@host:desk/fleet.git", "file:///srv/fleet.git"])
def test_an_address_is_left_as_it_is(watched: Watched, address: str) -> None:
    assert address_of(watched.fleet.workspace, replace(watched.spec, repo=address)) == address


@pytest.mark.parametrize("address", ["https://ann:hunter2@host/fleet", "https://ghp_token@host/fleet"])
def test_a_secret_in_an_address_is_refused(watched: Watched, address: str) -> None:
    with pytest.raises(UsageError, match="password or token") as refused:
        watch_spec(watched.fleet.workspace, Options(repo=address))
    assert "hunter2" not in str(refused.value) and "ghp_token" not in str(refused.value)


def test_a_folder_counts_from_the_workspace(watched: Watched) -> None:
    workspace = watched.fleet.workspace
    assert address_of(workspace, replace(watched.spec, repo="../fleet")) == f"{workspace.root}/../fleet"
    assert address_of(workspace, replace(watched.spec, repo="/srv/fleet")) == "/srv/fleet"


def test_status_tells_how_the_branch_stands(watched: Watched) -> None:
    workspace = watched.fleet.workspace
    assert watch_words(workspace) == ""
    commit = watched.repository.commit({"bots/fleet.yaml": FLEET, "bots/sol.yaml": bot("sol")})
    watched.look()
    assert watch_words(workspace) == (
        f"watch: {commit[:12]} of main applied since 2027-01-15T08:00:00.000Z (no watch runs now)"
    )


def test_what_a_watch_of_a_wrong_repository_left_can_be_put_away(watched: Watched) -> None:
    workspace = watched.fleet.workspace
    wrong = replace(watched.spec, repo=str(workspace.root / "nowhere"))
    watch_once(watched.fleet, wrong, Secrets(workspace, shell={}))
    assert "`botctl watch forget` takes this line away" in watch_words(workspace)
    with session._only_one(workspace), pytest.raises(Locked, match="a watch runs here"):
        forget(workspace)
    suspend(workspace, ["sol"], why="mine", at="now")
    assert forget(workspace) and not forget(workspace)
    assert watch_words(workspace) == ""
    assert not (workspace.watch / "repository").exists()
    assert set(read_wishes(workspace).bots) == {"sol"}


def test_a_second_watch_of_one_fleet_is_refused(watched: Watched) -> None:
    secrets = Secrets(watched.fleet.workspace, shell={})
    watched.repository.commit({"bots/fleet.yaml": FLEET, "bots/sol.yaml": bot("sol")})
    with session._only_one(watched.fleet.workspace), pytest.raises(Locked, match="runs already"):
        watch_once(watched.fleet, watched.spec, secrets)
    assert watch_once(watched.fleet, watched.spec, secrets).result is Result.APPLIED


def test_the_loop_ends_when_it_is_asked_to_or_nothing_is_to_be_watched(watched: Watched) -> None:
    watched.repository.commit({"bots/fleet.yaml": FLEET, "bots/sol.yaml": bot("sol")})
    looks = iter([watched.spec, watched.spec, None])

    def pass_time(duration_s: float) -> None:
        watched.now_s += duration_s

    Watcher(dataclasses.replace(watched.rim, settings=lambda: next(looks), sleep=pass_time)).run()
    assert watched.now_s == pytest.approx(START_S + 20), "two looks, an interval after each"
    Watcher(dataclasses.replace(watched.rim, is_stopping=lambda: True)).run()
