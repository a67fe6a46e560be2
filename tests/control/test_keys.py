"""A key that was changed under a running bot is told, in digests, and never more of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.control.keys import key_words, missing_keys, require_keys
from engine.errors import Conflict
from engine.host.secrets import keys_digest, workspace_salt
from engine.host.workspace import Workspace
from engine.plan.diff import diff
from engine.plan.observed import Observed
from engine.spec.types import BotSpec, Environment, SecretRef
from tests.plan import fleets


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(root=tmp_path)
    workspace.prepare()
    write(workspace, "KEY=one")
    return workspace


def write(workspace: Workspace, text: str) -> None:
    workspace.env_file.write_text(text + "\n")
    workspace.env_file.chmod(0o600)


def live(name: str) -> BotSpec:
    account = replace(
        fleets.ACCOUNT, environment=Environment.MAINNET, credentials={"api_key": SecretRef(env="KEY")}
    )
    return replace(fleets.spec(name), accounts={"main": account})


def running(workspace: Workspace) -> Observed:
    """A supervised bot that began with the key `one`."""
    seen = fleets.running(live("sol"))
    keys = {"main": keys_digest({"api_key": "one"}, workspace_salt(workspace))}
    (engine,) = seen.engines.values()
    return replace(seen, engines={"sol": replace(engine, keys=keys)})


def test_a_key_that_is_what_it_was_is_not_spoken_of(workspace: Workspace) -> None:
    assert list(key_words(workspace, running(workspace))) == []


def test_a_changed_key_is_told_as_a_digest_with_what_to_do(workspace: Workspace) -> None:
    seen = running(workspace)
    write(workspace, "KEY=another")
    (words,) = key_words(workspace, seen)
    now = keys_digest({"api_key": "another"}, workspace_salt(workspace))
    assert now in words and "`botctl restart sol`" in words
    assert "another" not in words
    assert list(key_words(workspace, replace(seen, processes={}))) == [], "its shell may have given it the key"


def test_a_key_that_cannot_be_read_is_no_other_key(workspace: Workspace) -> None:
    seen = running(workspace)
    write(workspace, "")
    assert list(key_words(workspace, seen)) == []


def test_looking_makes_no_salt(tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path)
    assert list(key_words(workspace, fleets.running(fleets.spec("sol")))) == []
    assert list(tmp_path.iterdir()) == []


def test_a_bot_whose_key_is_missing_is_not_started(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = fleets.desired(live("eth"), live("sol"))
    plan = diff(wanted, Observed())
    require_keys(workspace, plan, wanted)
    write(workspace, "OTHER=1")
    (missing,) = missing_keys(workspace, plan, wanted)
    assert "eth could not start: account main: api_key: KEY is not in" in missing.message
    monkeypatch.setenv("KEY", "only in the shell")
    with pytest.raises(Conflict, match="is set in this shell only"):
        require_keys(workspace, plan, wanted)


def test_a_bot_that_runs_on_does_not_ask_for_its_key(workspace: Workspace) -> None:
    write(workspace, "OTHER=1")
    wanted = fleets.desired(live("sol"))
    require_keys(workspace, diff(wanted, fleets.running(live("sol"))), wanted)
    require_keys(workspace, diff(fleets.desired(), fleets.running(live("sol"))), fleets.desired())
