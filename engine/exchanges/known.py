"""What a signer must say to a known question. A library that was updated, or built for another machine, and signs
something else than it is told to, is found out before it signs an order.
"""

from __future__ import annotations

from engine.errors import ConfigInvalid


def require_known(venue: str, said: str, known: str) -> None:
    """ConfigInvalid unless both are the same. Neither is shown: the words would say nothing to anybody."""
    if said != known:
        raise ConfigInvalid(
            f"the signatures for {venue} are not what its documentation says: the signer failed its self-check",
            hint="install botctl again, with the versions it pins",
        )
