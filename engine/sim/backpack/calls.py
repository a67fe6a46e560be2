"""One request on its way through a handler: who asks, with which parameters, when.

Handlers give what is to be sent as JSON, or a whole HttpResponse, or Later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from engine.clock import NS_PER_MS
from engine.exchanges.messages import HttpResponse
from engine.sim.backpack.errors import JSON_TYPE, TEXT_TYPE, unparsable_body, unparsable_parameter
from engine.sim.backpack.state import BackpackState
from engine.sim.schedule import Schedule
from engine.sim.venue_market import VenueMarket

T = TypeVar("T")
PAGE_MAX = 1_000


@dataclass(slots=True, frozen=True)
class Call:
    """`account` is empty for public requests."""

    state: BackpackState
    account: str
    query: Mapping[str, str]
    body: bytes
    now_ns: int
    schedule: Schedule

    @property
    def seen_ns(self) -> int:
        """Up to when the venue's lists of orders and fills know what happened."""
        return self.now_ns - self.state.settings.snapshot_lag_ms * NS_PER_MS

    def text(self, name: str) -> str:
        """A query parameter that must be there."""
        if name not in self.query:
            raise unparsable_parameter(name, f'failed to parse "string": missing parameter {name}')
        return self.query[name]

    def choice(self, name: str, choices: Mapping[str, T] | frozenset[str], default: str) -> str:
        """A query parameter that must be one of some words."""
        word = self.query.get(name, default)
        if word not in choices:
            raise unparsable_parameter(name, 'failed to parse "string": Expect a valid enumeration value.')
        return word

    def number(self, name: str, default: int, *, most: int | None = None) -> int:
        """A query parameter that must be a whole number from 0 on."""
        word = self.query.get(name)
        if word is None:
            return default
        if not word.isdecimal() or (most is not None and int(word) > most):
            raise unparsable_parameter(name, 'failed to parse "integer": invalid digit or out of range')
        return int(word)

    def market(self) -> VenueMarket:
        """The market named by `symbol`."""
        return self.state.market(self.text("symbol"), self.now_ns)

    def page(self, rows: list[T]) -> list[T]:
        """The part of the rows that `limit` and `offset` ask for."""
        offset = self.number("offset", 0)
        return rows[offset : offset + self.number("limit", 100, most=PAGE_MAX)]

    def decode(self, kind: type[T]) -> T:
        """The JSON body as a wire type."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except msgspec.DecodeError as error:
            raise unparsable_body(str(error)) from None


@dataclass(slots=True, frozen=True)
class Later:
    """The answer is made by `finish` at an instant after the request: the venue takes its time."""

    at_ns: int
    finish: Callable[[int], object]


def ok(payload: object) -> HttpResponse:
    """200 with JSON, unless the payload is a response already."""
    if isinstance(payload, HttpResponse):
        return payload
    return HttpResponse(status=200, headers=(JSON_TYPE,), body=msgspec.json.encode(payload))


def plain_text(status: int, text: str) -> HttpResponse:
    return HttpResponse(status=status, headers=(TEXT_TYPE,), body=text.encode())
