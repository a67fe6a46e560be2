"""What a venue says of its markets, asked once: by engines at start, and by `validate` for its cache."""

from __future__ import annotations

from engine.errors import ConfigInvalid, NotSent, Unavailable, Unresolved
from engine.exchanges.interface import Endpoints, Venue
from engine.model.instrument import Instrument
from engine.transport.world import World


async def fetch_instruments(
    world: World, venue: Venue, endpoints: Endpoints, *, timeout_s: float = 10.0
) -> tuple[Instrument, ...]:
    """All markets the venue lists now; Unavailable when it does not answer."""
    request = venue.instruments_request()
    try:
        response = await world.http(endpoints.rest_url, request, timeout_s=timeout_s)
    except (NotSent, Unresolved) as error:
        raise Unavailable(f"{venue.facts.name} did not list its markets: {error.message}") from error
    return venue.decode_instruments(response)


async def fetch_instrument(
    world: World, venue: Venue, endpoints: Endpoints, market: str, *, timeout_s: float = 10.0
) -> Instrument:
    """One market as the venue lists it now; ConfigInvalid when it has no such market."""
    for instrument in await fetch_instruments(world, venue, endpoints, timeout_s=timeout_s):
        if instrument.symbol == market:
            return instrument
    raise ConfigInvalid(
        f"{venue.facts.name} lists no market {market!r}", hint="symbols are case-sensitive; see `botctl validate`"
    )
