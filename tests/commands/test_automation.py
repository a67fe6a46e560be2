"""What git and a pull request ask botctl: a hook that checks what is committed, a plan where no fleet runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from engine.commands.automation import install
from engine.errors import Refused
from engine.resources import resource
from tests.control.watch.repository import Repository

SCRIPTS = Path(sys.executable).parent
FLEET = "id: lab\naccounts: {main: {venue: backpack, balances: {USDC: 10000, SOL: 100}}}\n"
SOL = """\
metadata: {name: sol}
exchange: {account: main, market: SOL_USDC}
strategy: {kind: market_maker, spread_bps: 8, order_size: 1, capital: {base: 5, quote: 1000}}
"""
WIDER = SOL.replace("spread_bps: 8", "spread_bps: 9")
SLIP = SOL.replace("spread_bps: 8", "spread_bps: -8")


class Clone(Repository):
    """A repository whose fleet lies at its top, or in a folder of it."""

    def __init__(self, folder: Path, fleet: str) -> None:
        super().__init__(folder)
        self.root = folder / fleet
        self.sol = str(Path(fleet) / "bots" / "sol.yaml")
        self.commit({str(Path(fleet) / "bots" / "fleet.yaml"): FLEET, self.sol: SOL})

    def botctl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(SCRIPTS / "botctl"), *arguments]
        return subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)


@pytest.fixture(params=["", "fleets/lab of ann"])
def clone(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    monkeypatch.setenv("PATH", f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}")
    return Clone(tmp_path / "clone", request.param)


def test_a_commit_that_botctl_could_not_read_is_not_made(clone: Clone) -> None:
    done = clone.botctl("init", "--hook")
    assert done.returncode == 0, done.stderr
    sol = clone.folder / clone.sol
    sol.write_text(SLIP)
    with pytest.raises(AssertionError, match="spread_bps"):
        clone.git("commit", "-q", "-a", "-m", "a slip")
    clone.git("add", "-A")
    sol.write_text(SOL)
    with pytest.raises(AssertionError, match="spread_bps"):
        clone.git("commit", "-q", "-m", "what is staged counts, not what lies in the folder")
    assert clone.git("log", "--format=%s").split("\n")[0] == "a change"
    sol.write_text(WIDER)
    clone.git("commit", "-q", "-a", "-m", "wider")
    assert clone.git("log", "--format=%s").split("\n")[0] == "wider"


def test_a_plan_against_a_revision_shows_what_merging_would_change(clone: Clone) -> None:
    clone.git("checkout", "-q", "-b", "wider")
    clone.commit({clone.sol: WIDER})
    same = clone.botctl("plan", "--against", "HEAD", "--detailed-exitcode")
    assert (same.returncode, same.stderr) == (0, "")
    plan = clone.botctl("plan", "-v", "--against", "main", "--detailed-exitcode")
    assert plan.returncode == 2, plan.stderr
    assert "spread_bps" in plan.stdout and "8 → 9" in plan.stdout
    assert not (clone.root / ".botctl").exists(), "it writes nothing"


def test_a_revision_is_never_read_as_an_option_of_git(clone: Clone, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    plan = clone.botctl("plan", f"--against=--output={proof}")
    assert plan.returncode == 1 and "git rev-parse" in plan.stderr
    assert not proof.exists()


def test_a_hook_or_workflow_that_is_there_is_never_written_over(clone: Clone) -> None:
    written = install(clone.root, hook=True, ci=True)
    assert written == [
        clone.folder / ".git" / "hooks" / "pre-commit",
        clone.folder / ".github" / "workflows" / "botctl.yml",
    ]
    with pytest.raises(Refused, match="there is already"):
        install(clone.root, hook=True, ci=True)


def test_the_steps_of_the_workflow_do_what_they_say(clone: Clone) -> None:
    clone.git("update-ref", "refs/remotes/origin/main", "HEAD")
    assert clone.botctl("init", "--ci").returncode == 0
    clone.commit({clone.sol: WIDER})
    workflow = yaml.safe_load((clone.folder / ".github" / "workflows" / "botctl.yml").read_text())
    steps = {step.get("name"): step for step in workflow["jobs"]["plan"]["steps"]}
    for name in ("Validate", "Plan"):
        command = ["bash", "-eo", "pipefail", "-c", steps[name]["run"]]
        done = subprocess.run(
            command,
            cwd=clone.folder,
            env={**os.environ, "BASE": "main"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert "8 → 9" in (clone.folder / "plan.md").read_text()
    assert (clone.folder / "plan.html").exists()


def test_the_workflow_never_runs_with_the_rights_of_the_branch_it_goes_to() -> None:
    text = resource("templates", "starters", "github-workflow.yml").read_text()
    assert "pull_request_target" not in text and "secrets." not in text
