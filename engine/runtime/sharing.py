"""What a bot shares with the other users of its accounts on this host: request budgets and nonces."""

from __future__ import annotations

from contextlib import ExitStack
from hashlib import sha256

from engine.exchanges.interface import NonceRule
from engine.host.accounts import account_directory
from engine.host.budget import HostPace, boot_id
from engine.host.nonces import HostClockNonces, KeyLease, clock_file
from engine.runtime.sites import Site
from engine.session.nonces import ClockNonces, Lease, OwnKey, clock_nonces
from engine.session.shared import Shared


def shared_with_host(site: Site, *, fleet_allows: int | None, held: ExitStack) -> Shared:
    """The site's account as all its users see it. `held` gets what must be closed."""
    directory, facts = account_directory(site.identity), site.venue.facts
    per_minute = min(facts.requests_per_minute, fleet_allows or facts.requests_per_minute)
    pace = HostPace(directory / "budget-requests", per_minute, boot_id=boot_id())
    held.callback(pace.close)
    numbers: ClockNonces = clock_nonces()
    lease: Lease = OwnKey()
    if facts.nonces is NonceRule.CLOCK_US:
        numbers = host_numbers = HostClockNonces(clock_file(site.identity))
        held.callback(host_numbers.close)
    elif facts.nonces is NonceRule.SEQUENCE:
        lease = host_lease = KeyLease(directory / f"nonces-sequence-{_key_digest(site)}")
        held.callback(host_lease.close)
    return Shared(pace, numbers, lease)


def _key_digest(site: Site) -> str:
    """Keys of one account do not wait for each other."""
    return sha256(site.credentials.get(site.venue.facts.nonce_key, "").encode()).hexdigest()[:8]
