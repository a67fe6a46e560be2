"""Which account on which venue this is, and where the host keeps what its users must share.

Locks, budgets and tags belong to the account, not to a workspace: two workspaces that trade one account meet in
the same directory. A simulated account belongs to one simulator instance; a new instance is a new world.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from engine.exchanges.interface import Credentials, Venue
from engine.host.files import private_directory
from engine.host.locks import is_free
from engine.host.secrets import Secrets
from engine.model.value import Value
from engine.spec.types import AccountSpec, Environment

SIMULATED_ACCOUNTS_KEPT = 64


class AccountIdentity(Value, frozen=True, kw_only=True):
    """What makes an account that account, for this host. `key` is public (a public key or an address)."""

    venue: str
    environment: Environment
    key: str
    instance: str = ""
    """The simulator's instance; empty for accounts of the real world."""

    @property
    def digest(self) -> str:
        """A short, stable name for files and directories; simulated ones can be told from it."""
        text = "\n".join((self.venue, self.environment, self.key, self.instance))
        prefix = "sim-" if self.environment is Environment.SIM else ""
        return f"{prefix}{self.venue}-{sha256(text.encode()).hexdigest()[:16]}"


def credentials_of(account: AccountSpec, venue: Venue, *, fleet_id: str, secrets: Secrets) -> Credentials:
    """The account's keys: throwaway ones for a simulated account, else what its references name."""
    if account.environment is Environment.SIM and not account.credentials:
        return venue.throwaway_credentials(simulated_seed(fleet_id, account.name))
    return declared_keys(account, secrets)


def declared_keys(account: AccountSpec, secrets: Secrets) -> Credentials:
    """What the account's references name; nothing for a simulated one that declares none."""
    return {
        field: secrets.resolve(f"account {account.name}: {field}", reference)
        for field, reference in account.credentials.items()
    }


def simulated_seed(fleet_id: str, account: str) -> str:
    """What a simulated account's throwaway keys grow from, in the engine and in the simulator."""
    return f"{fleet_id}/{account}"


def host_directory(environment: Mapping[str, str] | None = None) -> Path:
    """Where this user's accounts live on this host, outside every workspace."""
    variables = os.environ if environment is None else environment
    base = variables.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "botctl"


def account_directory(identity: AccountIdentity) -> Path:
    """The account's own directory on this host, made when it is missing."""
    accounts = host_directory() / "accounts"
    place = accounts / identity.digest
    if identity.environment is Environment.SIM and not place.exists():
        _forget_old_simulations(accounts)
    return private_directory(place)


def address_directory(identity: AccountIdentity, way: str) -> Path:
    """Where all accounts of a venue meet that are reached over the same way: what a venue counts by network address
    is counted here. `way` names a proxy, or is empty."""
    digest = sha256("\n".join((identity.venue, identity.environment, way)).encode()).hexdigest()[:16]
    return private_directory(host_directory() / "addresses" / f"{identity.venue}-{digest}")


def _forget_old_simulations(accounts: Path) -> None:
    """Every simulator start leaves a directory per account; only the newest, and those in use, are kept. Engines
    that start together all do this: what another one has just removed is no error."""
    import shutil  # Simulations are rare beside starts.

    simulated = sorted(accounts.glob("sim-*"), key=_written_at, reverse=True)
    for place in simulated[SIMULATED_ACCOUNTS_KEPT:]:
        with suppress(FileNotFoundError):
            if all(is_free(lock) for lock in place.glob("lock-*")):
                shutil.rmtree(place, ignore_errors=True)


def _written_at(place: Path) -> float:
    with suppress(FileNotFoundError):
        return place.stat().st_mtime
    return 0.0
