"""Where a bot trades: for every leg its venue, its account's keys and identity, and the lock on its market."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from engine.errors import BotctlError, Unavailable
from engine.exchanges.interface import Credentials, Endpoints, Venue
from engine.exchanges.registry import configured_venue
from engine.host.accounts import AccountIdentity, account_directory, credentials_of
from engine.host.endpoints import account_endpoints, last_sim_endpoint, read_sim_endpoint
from engine.host.locks import Holder, acquire, runner_lock_file
from engine.host.secrets import Secrets, keys_digest, workspace_salt
from engine.host.workspace import Workspace
from engine.model.value import Value
from engine.spec.types import AccountSpec, BotSpec, Environment, LegSpec


class Site(Value, frozen=True, kw_only=True):
    """One leg's place of trade, with everything resolved that can be without asking the venue."""

    name: str
    leg: LegSpec
    account: AccountSpec
    venue: Venue
    credentials: Credentials
    identity: AccountIdentity


def find_sites(workspace: Workspace, spec: BotSpec, *, fleet_id: str, secrets: Secrets) -> tuple[Site, ...]:
    """The bot's sites in the order of its legs. Unavailable while no venue of theirs runs: with a simulator its
    world ends. While another leg's venue may answer, a simulator that is away counts as the one it was, as any
    venue out of reach does; `endpoints_of` tells when another one has come."""
    accounts = [spec.accounts[leg.account] for leg in spec.legs.values()]
    awake = [account for account in accounts if _is_awake(workspace, account)]
    read = last_sim_endpoint if awake else read_sim_endpoint
    instances = {
        account.name: read(workspace, account.venue).instance if _is_simulated(account) else ""
        for account in accounts
    }
    return tuple(_site(spec, name, fleet_id, secrets, instances) for name in spec.legs)


def endpoints_of(workspace: Workspace, site: Site) -> Callable[[], Endpoints]:
    """Asks where the site's venue listens now; fails for good when a simulator came back as another world."""

    def ask() -> Endpoints:
        account, now = site.account, site.identity.instance
        if _is_simulated(account) and read_sim_endpoint(workspace, account.venue).instance != now:
            raise BotctlError(
                f"the simulated {site.account.venue} was started anew, without our orders and balances",
                hint="the supervisor starts the bot again, with a new journal",
            )
        return account_endpoints(workspace, site.account, site.venue.facts)

    return ask


def market_locks(sites: Iterable[Site]) -> tuple[Path, ...]:
    """The files whose locks are the right to trade the sites' markets."""
    return tuple(runner_lock_file(account_directory(site.identity), site.leg.market) for site in sites)


def key_digests(workspace: Workspace, sites: Iterable[Site]) -> dict[str, str]:
    """By account: of the keys that were declared for it, for others to tell whether they have changed."""
    declared = {site.account.name: site.credentials for site in sites if site.account.credentials}
    return {name: keys_digest(keys, workspace_salt(workspace)) for name, keys in declared.items()}


def lock_markets(sites: tuple[Site, ...], holder: Holder, held: ExitStack) -> None:
    """Take the right to trade every site's market; Locked, and nothing kept, when somebody has one of them."""
    with ExitStack() as taken:
        for file in market_locks(sites):
            taken.callback(acquire(file, holder).release)
        held.push(taken.pop_all())


def _site(spec: BotSpec, name: str, fleet_id: str, secrets: Secrets, instances: Mapping[str, str]) -> Site:
    leg = spec.legs[name]
    account = spec.accounts[leg.account]
    venue = configured_venue(account.venue, account.options)
    credentials = credentials_of(account, venue, fleet_id=fleet_id, secrets=secrets)
    identity = AccountIdentity(
        venue=account.venue,
        environment=account.environment,
        key=venue.account_identity(credentials),
        instance=instances[account.name],
    )
    return Site(name=name, leg=leg, account=account, venue=venue, credentials=credentials, identity=identity)


def _is_simulated(account: AccountSpec) -> bool:
    """Whether the account lives in a simulator of this fleet."""
    return account.environment is Environment.SIM and not account.rest_url


def _is_awake(workspace: Workspace, account: AccountSpec) -> bool:
    """Whether a venue may answer: of those that are not simulated here, nobody knows before asking."""
    if not _is_simulated(account):
        return True
    with suppress(Unavailable):
        return bool(read_sim_endpoint(workspace, account.venue))
    return False
