"""What the sessions of one account share with all its other users on this host: the request budget and the numbers
of its requests. Put in by whoever makes a session; one that is made alone has its own.
"""

from __future__ import annotations

from typing import NamedTuple

from engine.session.nonces import ClockNonces, Lease, OwnKey, clock_nonces
from engine.transport.pacing import Pace, Pacing


class Shared(NamedTuple):
    """`lease` numbers the requests of a key where the venue's rule is SEQUENCE."""

    pace: Pace
    clock_nonces: ClockNonces
    lease: Lease


def unshared(requests_per_minute: int, now_ns: int) -> Shared:
    """For a session that nobody else's requests concern; `now_ns` is monotonic."""
    return Shared(Pacing(requests_per_minute, now_ns), clock_nonces(), OwnKey())
