"""What a bot shares with the other users of its accounts on this host: everything its venues count, and nonces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace

from engine.exchanges.interface import NonceRule, VenueFacts
from engine.exchanges.limits import REQUESTS, WeightClass, plain_class
from engine.host.accounts import account_directory, address_directory
from engine.host.budget import SMALLEST_BLOCK, HostPace, boot_id
from engine.host.nonces import HostClockNonces, KeyLease, clock_file
from engine.runtime.sites import Site
from engine.session.nonces import ClockNonces, Lease, OwnKey, clock_nonces
from engine.session.shared import Shared
from engine.spec.types import Environment
from engine.transport.weights import Scales, round_weight


def shared_with_host(site: Site, *, fleet_allows: int | None, way: str, held: ExitStack) -> Shared:
    """The site's account as all its users see it. `way` names the proxy it is reached through, empty for none;
    `held` gets what must be closed."""
    directory, facts = account_directory(site.identity), site.venue.facts
    scales = Scales(
        [
            (one, _pace(one, _place(one, site, way) / f"budget-{one.name}", held))
            for one in counts_of(facts, fleet_allows)
        ]
    )
    numbers: ClockNonces = clock_nonces()
    lease: Lease = OwnKey()
    if facts.nonces is NonceRule.CLOCK_US:
        numbers = host_numbers = HostClockNonces(clock_file(site.identity))
        held.callback(host_numbers.close)
    elif facts.nonces is NonceRule.SEQUENCE:
        lease = host_lease = KeyLease(directory / f"nonces-sequence-{_key_digest(site)}")
        held.callback(host_lease.close)
    return Shared(scales, numbers, lease)


def counts_of(facts: VenueFacts, fleet_allows: int | None) -> tuple[WeightClass, ...]:
    """What the venue counts, and the fleet's own cap on an account's requests."""
    if fleet_allows is None:
        return facts.counts
    return tuple(_within(facts.counts, plain_class(min(facts.requests_per_minute, fleet_allows))))


def _within(counts: tuple[WeightClass, ...], cap: WeightClass) -> Iterator[WeightClass]:
    yield from (one for one in counts if one.name != REQUESTS)
    plain = next((one for one in counts if one.name == REQUESTS), cap)
    yield replace(plain, per_minute=min(plain.per_minute, cap.per_minute))


def _place(one: WeightClass, site: Site, way: str) -> Path:
    """A simulated venue sees everybody at one address, and counts by account instead."""
    if one.per_address and site.account.environment is not Environment.SIM:
        return address_directory(site.identity, way)
    return account_directory(site.identity)


def _pace(one: WeightClass, file: Path, held: ExitStack) -> HostPace:
    block = max(SMALLEST_BLOCK, round_weight(one))
    pace = HostPace(file, one.per_minute, boot_id=boot_id(), block=block)
    held.callback(pace.close)
    return pace


def _key_digest(site: Site) -> str:
    """Keys of one account do not wait for each other."""
    return sha256(site.credentials.get(site.venue.facts.nonce_key, "").encode()).hexdigest()[:8]
