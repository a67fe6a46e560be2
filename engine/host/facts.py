"""Venue facts kept between runs, so that plans can check ticks and lots without asking a venue each time.

`.botctl/facts/<venue>-<environment>.json`. Written by whoever fetched them; a cache, so a damaged file counts
as never fetched.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.host.files import read_if_present, write_atomic
from engine.host.workspace import Workspace
from engine.spec.facts import FactsLookup, VenueMarkets
from engine.spec.types import Environment


def write_facts(workspace: Workspace, venue: str, environment: Environment, markets: VenueMarkets) -> None:
    """Replace what is known of a venue's markets."""
    write_atomic(_file(workspace, venue, environment), msgspec.json.encode(markets))


def read_facts(workspace: Workspace, venue: str, environment: Environment) -> VenueMarkets | None:
    """What is known of a venue's markets; None when nothing is."""
    content = read_if_present(_file(workspace, venue, environment))
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=VenueMarkets)
    except msgspec.MsgspecError:
        return None


def cached_facts(workspace: Workspace) -> FactsLookup:
    """A lookup for `load_fleet` over the cache; each file is read once."""
    known: dict[tuple[str, Environment], VenueMarkets | None] = {}

    def lookup(venue: str, environment: Environment) -> VenueMarkets | None:
        key = (venue, environment)
        if key not in known:
            known[key] = read_facts(workspace, venue, environment)
        return known[key]

    return lookup


def _file(workspace: Workspace, venue: str, environment: Environment) -> Path:
    return workspace.facts / f"{venue}-{environment}.json"
