"""Generations, holds, markers, endpoints, accounts: what one process writes and another reads."""

from __future__ import annotations

import os
import shutil
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from engine.errors import ConfigInvalid, StateDamaged, Unavailable
from engine.exchanges.interface import Endpoints
from engine.exchanges.registry import find_venue
from engine.host.accounts import (
    SIMULATED_ACCOUNTS_KEPT,
    AccountIdentity,
    account_directory,
    credentials_of,
    host_directory,
)
from engine.host.endpoints import SimEndpoint, account_endpoints, write_sim_endpoint
from engine.host.files import private_directory
from engine.host.finished import Finished, clear_finished, mark_finished, read_finished
from engine.host.generation import read_current, read_current_bot, read_generation
from engine.host.holds import Hold, HoldKind, lift_hold, place_hold, read_hold, read_holds
from engine.host.locks import Holder, acquire
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.spec.types import AccountSpec, Environment, SecretRef
from tests.fleets import bot_spec, fleet_spec, write_generation

HOLD = Hold(bot="a", kind=HoldKind.STOP, who="ann", since_ns=7, why="holiday")


def test_nothing_is_applied_before_the_first_generation(workspace: Workspace) -> None:
    assert read_current(workspace) is None
    assert read_current_bot(workspace, "maker") is None


def test_a_generation_is_read_back_as_it_was_written(workspace: Workspace) -> None:
    write_generation(workspace, {"maker": bot_spec("maker")}, number=3)
    generation = read_current(workspace)
    assert generation is not None
    assert (generation.number, generation.fleet, generation.bots) == (3, fleet_spec(), {"maker": bot_spec("maker")})
    assert read_generation(workspace, 3) == generation
    applied = read_current_bot(workspace, "maker")
    assert applied is not None
    assert (applied.spec, applied.fingerprint) == (bot_spec("maker"), generation.fingerprints["maker"])
    assert read_current_bot(workspace, "other") is None


@pytest.mark.parametrize("file", ["meta.json", "fleet.json", "bots/maker.json"])
def test_a_generation_with_a_damaged_file_is_not_trusted(workspace: Workspace, file: str) -> None:
    write_generation(workspace, {"maker": bot_spec("maker")})
    (workspace.current / file).write_text('{"number": ')
    with pytest.raises(StateDamaged, match="cannot be trusted"):
        read_current(workspace)


def test_a_generation_that_lacks_a_bot_is_not_a_smaller_fleet(workspace: Workspace) -> None:
    write_generation(workspace, {"maker": bot_spec("maker"), "other": bot_spec("other")})
    (workspace.current / "bots" / "other.json").unlink()
    with pytest.raises(StateDamaged, match="not the ones its"):
        read_current(workspace)


def test_a_current_that_points_nowhere_is_damage_and_not_a_first_start(workspace: Workspace) -> None:
    workspace.state.mkdir()
    workspace.current.symlink_to("generations/9")
    with pytest.raises(StateDamaged, match="is gone"):
        read_current(workspace)


def test_a_hold_stays_until_it_is_lifted(workspace: Workspace) -> None:
    place_hold(workspace, HOLD)
    assert read_holds(workspace) == {"a": HOLD}
    assert lift_hold(workspace, "a")
    assert not lift_hold(workspace, "a")
    assert read_holds(workspace) == {}


@pytest.mark.parametrize("kind", [HoldKind.STOP, HoldKind.HALT, HoldKind.PAUSE])
def test_whoever_holds_a_tripped_bot_does_not_make_its_trip_forgotten(workspace: Workspace, kind: HoldKind) -> None:
    place_hold(workspace, Hold(bot="a", kind=HoldKind.TRIP, who="the risk guard", since_ns=1, why="lost 10"))
    for who in ("ann", "bob"):
        place_hold(workspace, Hold(bot="a", kind=kind, who=who, since_ns=2, why="lunch"))
    held = read_hold(workspace, "a")
    assert held is not None and (held.kind, held.who, held.tripped) == (kind, "bob", "lost 10")
    lift_hold(workspace, "a")
    place_hold(workspace, HOLD)
    assert read_hold(workspace, "a") == HOLD


def test_a_damaged_hold_is_replaced(workspace: Workspace) -> None:
    place_hold(workspace, HOLD)
    (workspace.holds / "a.json").write_text("{")
    place_hold(workspace, HOLD)
    assert read_hold(workspace, "a") == HOLD


def test_a_damaged_hold_is_an_error_and_never_reads_as_none(workspace: Workspace) -> None:
    place_hold(workspace, HOLD)
    (workspace.holds / "a.json").write_text("{")
    with pytest.raises(StateDamaged):
        read_hold(workspace, "a")
    with pytest.raises(StateDamaged):
        read_holds(workspace)


def test_a_finished_bot_is_remembered_with_its_meaning_until_it_is_cleared(workspace: Workspace) -> None:
    finished = Finished(bot="a", fingerprint="v1:abc", at_ns=7, why="duration is over")
    mark_finished(workspace, finished)
    assert read_finished(workspace, "a") == finished
    clear_finished(workspace, "a")
    assert read_finished(workspace, "a") is None


def account(environment: Environment = Environment.SIM, **fields: object) -> AccountSpec:
    plain: dict[str, object] = {
        "name": "main",
        "venue": "backpack",
        "rest_url": None,
        "ws_url": None,
        "credentials": {},
        "balances": {"USDC": Decimal(1000)},
    }
    return AccountSpec(environment=environment, **{**plain, **fields})  # type: ignore[arg-type] # fields vary


def test_a_simulated_account_is_where_the_simulator_says(workspace: Workspace) -> None:
    write_sim_endpoint(
        workspace,
        "backpack",
        SimEndpoint(instance="i", rest_url="http://127.0.0.1:1", ws_url="ws://127.0.0.1:1/", pid=os.getpid()),
    )
    found = account_endpoints(workspace, account(), find_venue("backpack").facts)
    assert found == Endpoints(rest_url="http://127.0.0.1:1", ws_url="ws://127.0.0.1:1/")


@pytest.mark.parametrize("content", [None, b"{", b'{"instance":"i","rest_url":"x","ws_url":"x","pid":4194999}'])
def test_a_missing_damaged_or_dead_simulator_is_unavailable(workspace: Workspace, content: bytes | None) -> None:
    workspace.sim.mkdir(parents=True)
    if content:
        (workspace.sim / "backpack.json").write_bytes(content)
    with pytest.raises(Unavailable, match="no simulated backpack is running") as refusal:
        account_endpoints(workspace, account(), find_venue("backpack").facts)
    assert "botctl apply" in (refusal.value.hint or "")


def test_real_accounts_use_the_venue_s_addresses_unless_they_give_their_own(workspace: Workspace) -> None:
    facts = find_venue("backpack").facts
    assert account_endpoints(workspace, account(Environment.MAINNET), facts) == facts.endpoints["mainnet"]
    own = account(Environment.MAINNET, rest_url="https://proxy.example", ws_url="wss://proxy.example")
    assert account_endpoints(workspace, own, facts).rest_url == "https://proxy.example"


def test_an_environment_without_known_addresses_asks_for_them(workspace: Workspace) -> None:
    facts = msgspec.structs.replace(find_venue("backpack").facts, endpoints={})
    with pytest.raises(ConfigInvalid, match="has no known testnet addresses"):
        account_endpoints(workspace, account(Environment.TESTNET), facts)


def test_simulated_accounts_have_working_keys_without_secrets(workspace: Workspace) -> None:
    venue, secrets = find_venue("backpack"), Secrets(workspace, shell={})
    keys = credentials_of(account(), venue, fleet_id="fleet", secrets=secrets)
    assert keys == venue.throwaway_credentials("fleet/main")
    assert keys != credentials_of(account(), venue, fleet_id="other", secrets=secrets)


def test_real_accounts_never_get_throwaway_keys(workspace: Workspace) -> None:
    venue = find_venue("backpack")
    real = account(Environment.MAINNET, credentials={"api_key": SecretRef(env="KEY")})
    with pytest.raises(ConfigInvalid, match="account main: api_key"):
        credentials_of(real, venue, fleet_id="fleet", secrets=Secrets(workspace, shell={}))


def identity(instance: str, environment: Environment = Environment.SIM) -> AccountIdentity:
    return AccountIdentity(venue="backpack", environment=environment, key="pub", instance=instance)


def test_one_account_has_one_directory_whatever_workspace_asks(tmp_path: Path) -> None:
    real = identity("", Environment.MAINNET)
    assert account_directory(real) == account_directory(identity("", Environment.MAINNET))
    assert account_directory(real) != account_directory(identity("", Environment.TESTNET))
    assert account_directory(real).is_relative_to(tmp_path / "host")


def test_a_new_simulator_instance_is_a_new_account() -> None:
    assert identity("one").digest != identity("two").digest


def test_directories_of_old_simulations_are_forgotten_unless_they_are_in_use() -> None:
    used = account_directory(identity("used"))
    lock = acquire(used / "lock-SOL_USDC", Holder(pid=1, bot="b", workspace="/w", since_ns=0))
    os.utime(used, (1, 1))
    real = account_directory(identity("", Environment.MAINNET))
    for number in range(SIMULATED_ACCOUNTS_KEPT + 20):
        account_directory(identity(f"i-{number}"))
    left = list((host_directory() / "accounts").glob("sim-*"))
    assert len(left) <= SIMULATED_ACCOUNTS_KEPT + 2
    assert used in left
    assert real.exists()
    lock.release()


def test_engines_that_start_together_forget_old_simulations_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    accounts = private_directory(host_directory() / "accounts")
    for number in range(SIMULATED_ACCOUNTS_KEPT + 5):
        place = private_directory(accounts / f"sim-{number}")
        for name in ("lock-SOL", "tags.json", "usage"):
            (place / name).touch()
    (accounts / "sim-gone").symlink_to(accounts / "nowhere")

    def another_was_faster(lock: Path) -> bool:
        shutil.rmtree(lock.parent)
        return True

    monkeypatch.setattr("engine.host.accounts.is_free", another_was_faster)
    assert account_directory(identity("new")).is_dir()
    assert len(list(accounts.glob("sim-[0-9]*"))) <= SIMULATED_ACCOUNTS_KEPT
