"""Whose overlays are in force: recorded by apply, shown by plan and status, and not changed by an oversight."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from engine.control.apply import apply
from engine.control.desired import ENV_VARIABLE, load_in_force, load_workspace, resolve_desired
from engine.control.fleet import Fleet
from engine.control.observe import observe
from engine.control.status import env_words
from engine.errors import Refused
from engine.host.generation import read_current
from engine.plan.desired import Desired
from engine.plan.diff import diff
from engine.plan.document import plan_document
from engine.plan.render import render
from tests.plan.fleets import desired


def wearing(env: str | None) -> Desired:
    bare = desired()
    return replace(bare, fleet=replace(bare.fleet, env=env))


def applied(fleet: Fleet, env: str | None, *accepted: str) -> None:
    apply(fleet, wearing(env), lambda _plan: None, accepted=accepted)


def in_force(fleet: Fleet) -> str | None:
    generation = read_current(fleet.workspace)
    assert generation is not None
    return generation.fleet.env


def test_the_first_apply_takes_any_environment(fleet: Fleet) -> None:
    applied(fleet, "paper")
    assert in_force(fleet) == "paper"
    assert env_words(fleet.workspace) == "environment: paper"


@pytest.mark.parametrize(("before", "after"), [("paper", "mainnet"), ("paper", None), (None, "paper")])
def test_another_environment_wants_to_be_meant(fleet: Fleet, before: str | None, after: str | None) -> None:
    applied(fleet, before)
    with pytest.raises(Refused, match=f"runs environment {before or 'base'}") as refused:
        applied(fleet, after)
    assert f"make it {after or 'base'} (--env {before or 'base'} keeps it)" in refused.value.message
    assert "--accept env" in str(refused.value.hint)
    assert in_force(fleet) == before
    applied(fleet, after, "env")
    assert in_force(fleet) == after


def test_a_plan_says_that_the_environment_changes(fleet: Fleet) -> None:
    applied(fleet, "paper")
    change = diff(wearing("mainnet"), observe(fleet))
    assert render(change).startswith("environment: paper → mainnet\n")
    assert (plan_document(change)["env_in_force"], plan_document(change)["env"]) == ("paper", "mainnet")
    assert "environment" not in render(diff(wearing("paper"), observe(fleet)))


@pytest.fixture
def written(fleet: Fleet) -> Fleet:
    """The same fleet with files: in paper it has one account more to trade with."""
    root = fleet.workspace.root
    (root / "bots").mkdir()
    (root / "envs" / "paper").mkdir(parents=True)
    (root / "bots" / "fleet.yaml").write_text("id: lab\naccounts: {main: {venue: backpack, balances: {USDC: 1}}}\n")
    (root / "envs" / "paper" / "fleet.yaml").write_text("accounts: {main: {balances: {USDC: 2}}}\n")
    return fleet


def test_verbs_that_ask_read_the_files_as_they_were_applied(
    written: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ENV_VARIABLE, raising=False)
    applied(written, "paper")
    loaded, asked = load_workspace(written.workspace).fleet, load_in_force(written.workspace).fleet
    assert loaded is not None and loaded.env is None and loaded.accounts["main"].balances["USDC"] == 1
    assert asked is not None and asked.env == "paper" and asked.accounts["main"].balances["USDC"] == 2


def test_the_variable_stands_for_the_option_and_yields_to_it(
    written: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENV_VARIABLE, "paper")
    assert resolve_desired(written.workspace, print).fleet.env == "paper"
    assert resolve_desired(written.workspace, print, "base").fleet.env is None
