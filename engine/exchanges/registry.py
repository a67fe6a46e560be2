"""Finds a venue by name and imports only that one: signing libraries are heavy, and one bot needs few.

Outside packages register under the entry point group `botctl.exchanges`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from engine.errors import ConfigInvalid
from engine.exchanges.interface import ConfigurableVenue, Venue

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

BUILT_IN = {
    "backpack": "engine.exchanges.backpack.venue",
    "aster": "engine.exchanges.aster.venue",
    "aster-spot": "engine.exchanges.aster.spot",
    "paradex": "engine.exchanges.paradex.venue",
    "lighter": "engine.exchanges.lighter.venue",
}


def venue_names() -> tuple[str, ...]:
    """All venues that can be named in a fleet, built in and installed."""
    outside = (entry.name for entry in _outside())
    return tuple(sorted({*BUILT_IN, *outside}))


def find_venue(name: str) -> Venue:
    """The venue of that name; ConfigInvalid names the known ones when there is none."""
    if name in BUILT_IN:
        return _built_in(name)
    for entry in _outside():
        if entry.name == name:
            return cast(Venue, entry.load())
    raise ConfigInvalid(f"unknown venue {name!r}", hint=f"known venues: {', '.join(venue_names())}")


def configured_venue(name: str, options: Mapping[str, Any] | None) -> Venue:
    """The venue of that name as an account has chosen it; ConfigInvalid where there is nothing to choose."""
    venue = find_venue(name)
    if not options:
        return venue
    if not isinstance(venue, ConfigurableVenue):
        raise ConfigInvalid(f"{name} has no options", hint="remove `options` from the account")
    return venue.configured(options)


def _built_in(name: str) -> Venue:
    module = BUILT_IN[name]
    try:
        return cast(Venue, import_module(module).VENUE)
    except ModuleNotFoundError as missing:
        extra = module.split(".")[2]
        raise ConfigInvalid(
            f"{name} needs {missing.name}, which is not installed", hint=f"pip install 'botctl[{extra}]'"
        ) from missing


def _outside() -> EntryPoints:
    """Imported here, because reading package metadata costs an engine's start a tenth and most need none."""
    from importlib.metadata import entry_points

    return entry_points(group="botctl.exchanges")
