"""Where a bot trades: for every leg its venue, its account's keys and identity, and the lock on its market."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path

from engine.errors import BotctlError
from engine.exchanges.interface import Credentials, Endpoints, Venue
from engine.exchanges.registry import configured_venue
from engine.host.accounts import AccountIdentity, account_directory, credentials_of
from engine.host.endpoints import account_endpoints, read_sim_endpoint
from engine.host.locks import Holder, acquire, runner_lock_file
from engine.host.secrets import Secrets
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
    """The bot's sites in the order of its legs. Unavailable while a simulator they need is not running."""
    return tuple(_site(workspace, spec, name, fleet_id, secrets) for name in spec.legs)


def endpoints_of(workspace: Workspace, site: Site) -> Callable[[], Endpoints]:
    """Asks where the site's venue listens now; fails for good when a simulator came back as another world."""

    def ask() -> Endpoints:
        if _instance(workspace, site.account) != site.identity.instance:
            raise BotctlError(
                f"the simulated {site.account.venue} was started anew, without our orders and balances",
                hint="the supervisor starts the bot again, with a new journal",
            )
        return account_endpoints(workspace, site.account, site.venue.facts)

    return ask


def market_locks(sites: Iterable[Site]) -> tuple[Path, ...]:
    """The files whose locks are the right to trade the sites' markets."""
    return tuple(runner_lock_file(account_directory(site.identity), site.leg.market) for site in sites)


def lock_markets(sites: tuple[Site, ...], holder: Holder, held: ExitStack) -> None:
    """Take the right to trade every site's market; Locked, and nothing kept, when somebody has one of them."""
    with ExitStack() as taken:
        for file in market_locks(sites):
            taken.callback(acquire(file, holder).release)
        held.push(taken.pop_all())


def _site(workspace: Workspace, spec: BotSpec, name: str, fleet_id: str, secrets: Secrets) -> Site:
    leg = spec.legs[name]
    account = spec.accounts[leg.account]
    venue = configured_venue(account.venue, account.options)
    credentials = credentials_of(account, venue, fleet_id=fleet_id, secrets=secrets)
    identity = AccountIdentity(
        venue=account.venue,
        environment=account.environment,
        key=venue.account_identity(credentials),
        instance=_instance(workspace, account),
    )
    return Site(name=name, leg=leg, account=account, venue=venue, credentials=credentials, identity=identity)


def _instance(workspace: Workspace, account: AccountSpec) -> str:
    if account.environment is not Environment.SIM or account.rest_url:
        return ""
    return read_sim_endpoint(workspace, account.venue).instance
