"""What is kept of every apply, how it is told, and how an earlier one is made true again."""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgspec
import pytest

from cli import run
from engine import __version__
from engine.control import generations
from engine.control.apply import apply
from engine.control.chain import verify
from engine.control.desired import desired_again
from engine.control.destroy import destroy, destroyed
from engine.control.fleet import Fleet, caller
from engine.control.generations import KEEP, Deed, forget_old, outcome_kept, switch_to, write_generation
from engine.control.history import find_generation, history, last_good, rollback_in_force
from engine.control.lifecycle import restart, start, stop
from engine.control.lock import writer_lock
from engine.control.observe import observe
from engine.errors import BotctlError, Conflict, Refused, UsageError
from engine.host.generation import kept_generations, read_current
from engine.host.workspace import Workspace
from engine.plan.diff import diff
from engine.spec.types import BotSpec
from tests.control.test_converge import _behave, applied, bot, pids, planned
from tests.plan.fleets import desired


def rolled_back(fleet: Fleet, number: int, why: str = "") -> None:
    wanted = desired_again(find_generation(fleet.workspace, number))
    apply(fleet, wanted, lambda _plan: None, deed=Deed(verb="rollback", why=why, came_from=number))


def written(workspace: Workspace, *specs: BotSpec, verb: str = "apply", result: str | None = "applied") -> int:
    """A generation on disk and in force, without a process."""
    wanted = desired(*specs)
    plan = diff(wanted, observe_nothing())
    number = write_generation(workspace, wanted, conf="", plan=plan, deed=Deed(verb=verb))
    switch_to(workspace, number)
    if result == "applied":
        with outcome_kept(workspace, number):
            pass
    elif result == "failed":
        with pytest.raises(BotctlError), outcome_kept(workspace, number):
            raise BotctlError("sol is not healthy")
    return number


def observe_nothing() -> object:
    from engine.plan.observed import Observed

    return Observed()


def said(fleet: Fleet, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run([*words, "-C", str(fleet.workspace.root)]) in (0, None)
    return capsys.readouterr().out


def log(fleet: Fleet) -> list[tuple[str, str]]:
    entries = [json.loads(line) for line in fleet.workspace.audit_log.read_bytes().splitlines()]
    return [(entry["what"], entry["result"]) for entry in entries if entry["what"] != "begin"]
