"""What the sessions of one account share with all its other users on this host: the request budget and the numbers
of its requests. Put in by whoever makes a session; one that is made alone has its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from engine.exchanges.limits import WeightClass
from engine.session.nonces import ClockNonces, Lease, OwnKey, clock_nonces
from engine.transport.weights import Scales, own_scales


class Shared(NamedTuple):
    """`lease` numbers the requests of a key where the venue's rule is SEQUENCE."""

    scales: Scales
    clock_nonces: ClockNonces
    lease: Lease


def unshared(counts: Iterable[WeightClass], now_ns: int) -> Shared:
    """For a session that nobody else's requests concern; `now_ns` is monotonic."""
    return Shared(own_scales(counts, now_ns), clock_nonces(), OwnKey())
